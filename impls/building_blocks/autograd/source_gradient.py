"""From the operations of a source to a Python function for its gradient."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from impls.building_blocks.autograd.source import Partial, Source, Symbol

Compiled = Callable[[np.ndarray, Any, Any, Any], np.ndarray]


def compiled(source: Source, output: Symbol) -> Compiled:
    """A function (x, table, targets, seed) to the gradient (n,) of seed . output."""
    way_back = _WayBack(source, output)
    end = "return g_x" if "x" in way_back.written else "return np.zeros_like(x)"
    lines = ["def gradient(x, table, targets, seed):", *source.forward, *way_back.lines, end]
    exec(compile("\n    ".join(lines), "<gradient>", "exec"), source.names)
    function: Compiled = source.names["gradient"]
    return function


class _WayBack:
    """The lines that compute gradients ``g_NAME``, and which of them exist.

    ``own`` are those in an array that no other name has, so that more may be added in place. Where a vector is cut into
    pieces and used in no other way, the pieces' gradients are written where they belong in the vector's.
    """

    def __init__(self, source: Source, output: Symbol) -> None:
        self.lines = [f"g_{output.name} = seed"]
        self.written, self._own = {output.name}, set[str]()
        self._names = source.names
        self._placed = self._lay_out(source)
        for symbol, partials in reversed(source.back):
            if symbol.name in self._placed:
                if symbol.name not in self.written:
                    self.lines.append(f"g_{symbol.name}[...] = 0.0")
            elif symbol.name in self.written:
                for partial in partials:
                    self._add(partial, partial.expression.format(g=f"g_{symbol.name}"))

    def _lay_out(self, source: Source) -> set[str]:
        """Make the gradients of vectors that their pieces fill; the names of these pieces."""
        uses: dict[str, list[tuple[Symbol, Partial]]] = {}
        for symbol, partials in source.back:
            for partial in partials:
                uses.setdefault(partial.source.name, []).append((symbol, partial))
        placed = set()
        for vector, pieces in uses.items():
            whole = pieces[0][1].source
            if not _fill([partial.piece for _, partial in pieces], whole.array.size):
                continue
            self.lines.append(f"g_{vector} = np.empty({whole.shape}, x.dtype)")
            for piece, partial in pieces:
                self.lines.append(f"g_{piece.name} = g_{vector}[{partial.place}].reshape({piece.shape})")
                placed.add(piece.name)
            self.written.add(vector)
        return placed

    def _add(self, partial: Partial, value: str) -> None:
        name = partial.source.name
        target, first = f"g_{name}", name not in self.written
        if partial.place:
            if first and name in self._placed:
                self.lines.append(f"{target}[...] = 0.0")
            elif name not in self._own:
                begun = "" if first else f" + {target}"
                self.lines.append(f"{target} = np.zeros({partial.source.shape}, x.dtype){begun}")
            self.lines.append(self._at(target, partial.place, value))
            self._own.add(name)
        elif first and name in self._placed:
            left, product, right = value.partition(" @ ")
            in_place = f"np.matmul({left}, {right}, out={target})" if product else f"{target}[...] = {value}"
            self.lines.append(in_place)
            self._own.add(name)
        elif first:
            self.lines.append(f"{target} = {value}")
        elif name in self._own:
            self.lines.append(f"{target} += {value}")
        else:
            self.lines.append(f"{target} = {target} + {value}")
            self._own.add(name)
        self.written.add(name)

    def _at(self, target: str, place: str, value: str) -> str:
        if isinstance(self._names.get(place), np.ndarray):
            return f"np.add.at({target}, {place}, {value})"  # an index may occur twice
        return f"{target}[{place}] += {value}"


def _fill(pieces: list[tuple[int, int] | None], size: int) -> bool:
    """Whether these are consecutive pieces of all of a vector."""
    found = sorted(piece for piece in pieces if piece)
    joined = all(stop == start for (_, stop), (start, _) in pairwise(found))
    return len(found) == len(pieces) > 0 and joined and found[0][0] == 0 and found[-1][1] == size
