"""Matrix products for numba whose sums stay in registers (the inner kernel of Goto & van de Geijn 2008)."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils

from impls.building_blocks.attention.vectors import (
    FEATURES,
    VECTOR,
    WIDTH,
    as_vectors,
    call_llvm,
    constant,
    element_pointer,
    intrinsic,
    keep_out_of_line,
    spread_scalar,
)

# Registers that hold sums: 24 of 32 with AVX-512 and on 64-bit ARM, 12 of 16 with AVX. The rest hold operands.
ROWS, VECTORS = (12, 2) if FEATURES.get("avx512f") else (6, 2) if FEATURES.get("avx") else (6, 4)
LANES = WIDTH * VECTORS
FEW_ROWS = 4


def _panel(rows: int) -> Any:
    """An intrinsic for c[r, :LANES] = (c[r, :LANES] if add) + sum over t of a[r, t] b[t, :LANES], for ``rows`` rows.

    Its arguments are a flat float32 array, an offset and strides for each of a (by row, by t), b (by t) and c (by row).
    """

    @intrinsic
    def panel(
        typing: Any,
        a: Any,
        a_at: Any,
        a_row: Any,
        a_step: Any,
        b: Any,
        b_at: Any,
        b_step: Any,
        c: Any,
        c_at: Any,
        c_row: Any,
        depth: Any,
        add: Any,
    ) -> Any:
        index = types.int64
        signature = types.void(a, index, index, index, b, index, index, c, index, index, index, types.boolean)
        return signature, generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, a_at, a_row, a_step, b, b_at, b_step, c, c_at, c_row, depth, add = arguments
        kinds = signature.args
        a_start = element_pointer(context, builder, kinds[0], a, a_at)
        b_start = element_pointer(context, builder, kinds[4], b, b_at)
        c_start = element_pointer(context, builder, kinds[7], c, c_at)

        def number(value: int) -> Any:
            return ir.Constant(ir.IntType(64), value)

        def step(pointer: Any, stride: Any, count: Any) -> Any:
            return builder.gep(pointer, [builder.mul(stride, count)])

        def vectors_at(pointer: Any) -> list[Any]:
            return [as_vectors(builder, builder.gep(pointer, [number(n * WIDTH)])) for n in range(VECTORS)]

        sums = [cgutils.alloca_once(builder, VECTOR) for _ in range(rows * VECTORS)]
        targets = [at for r in range(rows) for at in vectors_at(step(c_start, c_row, number(r)))]
        for total in sums:
            builder.store(constant(0.0), total)
        a_rows = [step(a_start, a_row, number(r)) for r in range(rows)]
        with cgutils.for_range(builder, depth) as loop:
            b_vectors = [builder.load(at, align=4) for at in vectors_at(step(b_start, b_step, loop.index))]
            for r in range(rows):
                factor = spread_scalar(builder, builder.load(step(a_rows[r], a_step, loop.index), align=4))
                for n, b_vector in enumerate(b_vectors):
                    total = sums[r * VECTORS + n]
                    builder.store(call_llvm(builder, "fma", factor, b_vector, builder.load(total)), total)
        # What was there is added last and not summed onto: over many tiles that keeps rounding errors small.
        with builder.if_then(cgutils.is_true(builder, add)):
            for target, total in zip(targets, sums, strict=True):
                builder.store(builder.fadd(builder.load(target, align=4), builder.load(total)), total)
        for target, total in zip(targets, sums, strict=True):
            builder.store(builder.load(total), target, align=4)
        return context.get_dummy_value()

    return panel


_panel_full, _panel_few, _panel_one = _panel(ROWS), _panel(FEW_ROWS), _panel(1)


@njit(cache=True)
def multiply(
    a: Any,
    a_at: int,
    a_row: int,
    a_step: int,
    b: Any,
    b_step: int,
    c: Any,
    c_row: int,
    rows: int,
    lanes: int,
    depth: int,
    add: bool,
) -> None:
    """c[r, i] (+)= sum over t of a[r, t] b[t, i] for ``rows`` rows and ``lanes`` columns, a multiple of LANES.

    The arrays are flat; a starts at ``a_at``, b and c at 0, with the given strides by row and by t.
    """
    keep_out_of_line()
    for lane in range(0, lanes, LANES):
        r = 0
        while r + ROWS <= rows:
            _panel_full(a, a_at + r * a_row, a_row, a_step, b, lane, b_step, c, r * c_row + lane, c_row, depth, add)
            r += ROWS
        while r + FEW_ROWS <= rows:
            _panel_few(a, a_at + r * a_row, a_row, a_step, b, lane, b_step, c, r * c_row + lane, c_row, depth, add)
            r += FEW_ROWS
        while r < rows:
            _panel_one(a, a_at + r * a_row, a_row, a_step, b, lane, b_step, c, r * c_row + lane, c_row, depth, add)
            r += 1
