"""A run-time tape over NumPy arrays: every operation leaves a node that knows what it was made of, and how to go back.

A node's edges are tuples (source, rule, saved, shape): the node of an input, a function from the arriving gradient and
the saved arrays to that input's gradient, those arrays, and the input's shape where it was broadcast. An edge is made
only for what depends on the variables, so that a product with a constant keeps the constant alone and never computes
its gradient. Nodes keep nothing but what is saved: an array that no rule needs is gone when the program lets go of its
tensor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from impls.building_blocks.autograd import rules


class Recomputed(Protocol):
    """In place of edges where the rules are not known before the gradient arrives.

    Iterating gives tuples that begin with the node of an input, as edges do.
    """

    saved: tuple[Any, ...]

    def __iter__(self) -> Any: ...

    def pull(self, arriving: Any) -> Iterable[tuple[Node, Any]]: ...


class Node:
    """:ivar edges: none for a variable, ``None`` when a backward pass has let go of them.
    :ivar gradient: of a variable, the sum of what all backward passes found.
    """

    __slots__ = ("edges", "gradient")

    def __init__(self, edges: Any) -> None:
        self.edges = edges
        self.gradient: Any = None


class Tensor:
    """An array that the variables went into. It cannot be written to, so what was saved of it stays as it was.

    :ivar array: its numbers, for the operations; others read ``value``.
    """

    __slots__ = ("array", "node")
    __array_ufunc__ = None  # a constant array on the left leaves the operator to this class

    def __init__(self, array: Any, edges: Any = ()) -> None:
        self.array = array
        self.node = Node(edges)

    @property
    def value(self) -> np.ndarray:
        """The numbers, read-only: writing raises ``ValueError``."""
        view = np.asarray(self.array).view()
        view.flags.writeable = False
        return view

    @property
    def gradient(self) -> Any:
        """Of a variable, the sum of what all backward passes found, or ``None`` before the first."""
        return self.node.gradient

    def zero_grad(self) -> None:
        """Forget the gradient, so that the next backward pass begins anew."""
        self.node.gradient = None

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.array.shape
        return shape

    def __setitem__(self, index: Any, values: Any) -> None:
        raise TypeError("a tensor cannot be written to, since gradients need what it holds; make a new one instead")

    def __add__(self, other: Any) -> Tensor:
        if type(other) is Tensor:
            out = self.array + other.array
            return Tensor(out, (_edge(self, out, rules.same), _edge(other, out, rules.same)))
        out = self.array + other
        return Tensor(out, (_edge(self, out, rules.same),))

    __radd__ = __add__

    def __neg__(self) -> Tensor:
        return Tensor(-self.array, ((self.node, rules.negated, (), None),))

    def __sub__(self, other: Any) -> Tensor:
        if type(other) is Tensor:
            out = self.array - other.array
            return Tensor(out, (_edge(self, out, rules.same), _edge(other, out, rules.negated)))
        out = self.array - other
        return Tensor(out, (_edge(self, out, rules.same),))

    def __rsub__(self, other: Any) -> Tensor:
        out = other - self.array
        return Tensor(out, (_edge(self, out, rules.negated),))

    def __mul__(self, other: Any) -> Tensor:
        if type(other) is Tensor:
            a, b = self.array, other.array
            out = a * b
            return Tensor(out, (_edge(self, out, rules.times, b), _edge(other, out, rules.times, a)))
        out = self.array * other
        return Tensor(out, (_edge(self, out, rules.times, other),))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Tensor:
        if type(other) is Tensor:
            b = other.array
            out = self.array / b
            return Tensor(out, (_edge(self, out, rules.over, b), _edge(other, out, rules.by_divisor, out, b)))
        out = self.array / other
        return Tensor(out, (_edge(self, out, rules.over, other),))

    def __rtruediv__(self, other: Any) -> Tensor:
        out = other / self.array
        return Tensor(out, (_edge(self, out, rules.by_divisor, out, self.array),))

    def __pow__(self, exponent: float) -> Tensor:
        return Tensor(self.array**exponent, ((self.node, rules.by_base, (self.array, exponent), None),))

    def __matmul__(self, other: Any) -> Tensor:
        a = self.array
        if type(other) is Tensor:
            b = other.array
            left, right = rules.of_product(a, b)
            return Tensor(a @ b, ((self.node, left, (b,), None), (other.node, right, (a,), None)))
        left, _ = rules.of_product(a, other)
        return Tensor(a @ other, ((self.node, left, (other,), None),))

    def __rmatmul__(self, other: Any) -> Tensor:
        _, right = rules.of_product(other, self.array)
        return Tensor(other @ self.array, ((self.node, right, (other,), None),))

    def __getitem__(self, index: Any) -> Tensor:
        return Tensor(self.array[index], ((self.node, rules.part, (index, self.array.shape), None),))


def variable(x: np.ndarray) -> Tensor:
    """The beginning of a tape. Nobody may write to ``x`` until the backward pass is over."""
    return Tensor(x)


def backward(output: Tensor, seed: Any, *, retain_graph: bool = False) -> None:
    """Add the gradient of seed . output to the ``gradient`` of every variable that it depends on.

    A node is visited when all that was made of it has been, by a stack, at any depth. What it saved is let go at once,
    unless ``retain_graph``.

    :raises RuntimeError: an earlier pass has let go of what this one needs.
    """
    uses = _uses(output.node)
    if isinstance(seed, float):  # rules ask for a dtype
        seed = output.array.dtype.type(seed)
    gradients: dict[Node, Any] = {output.node: seed}
    own: set[Node] = set()  # whose gradient is an array of this pass alone, which may be added to in place
    ready = [output.node]
    while ready:
        node = ready.pop()
        arriving, edges = gradients.pop(node), node.edges
        if not edges:
            _accumulate(node, arriving, node in own)
            continue
        if not retain_graph:
            node.edges = None
        _pass_on(gradients, own, arriving, edges)
        ready += _complete(uses, edges)


def _pass_on(gradients: dict[Node, Any], own: set[Node], arriving: Any, edges: Any) -> None:
    """From a node to those that it was made of; in a function, whose names keep no array when it has returned."""
    if type(edges) is tuple:
        for source, rule, saved, shape in edges:
            contribution = rule(arriving, *saved)
            _add(gradients, own, source, contribution if shape is None else rules.reduced(contribution, shape))
    else:
        for source, contribution in edges.pull(arriving):
            _add(gradients, own, source, contribution)


def _complete(uses: dict[int, int], edges: Any) -> list[Node]:
    """The inputs whose gradients have all arrived."""
    complete = []
    for edge in edges:
        key = id(edge[0])
        uses[key] -= 1
        if not uses[key]:
            complete.append(edge[0])
    return complete


def _uses(output: Node) -> dict[int, int]:
    """How often each node that ``output`` depends on went into another, by identity: the count keeps none alive."""
    uses = {id(output): 0}
    stack = [output]
    while stack:
        edges = stack.pop().edges
        if edges is None:
            raise RuntimeError(
                "an earlier backward pass has freed this graph; compute it again, or keep it with retain_graph=True"
            )
        for edge in edges:
            source = edge[0]
            key = id(source)
            if key in uses:
                uses[key] += 1
            else:
                uses[key] = 1
                stack.append(source)
    return uses


def _edge(source: Tensor, out: Any, rule: Any, *saved: Any) -> tuple[Any, ...]:
    shape = source.array.shape
    return source.node, rule, saved, None if shape == out.shape else shape


def _add(gradients: dict[Node, Any], own: set[Node], source: Node, contribution: Any) -> None:
    present = gradients.get(source)
    if type(contribution) is rules.Part:
        if source not in own:
            whole = np.zeros(contribution.shape, contribution.values.dtype)
            gradients[source] = whole if present is None else whole.__iadd__(present)
            own.add(source)
        contribution.add_to(gradients[source])
    elif present is None:
        gradients[source] = contribution
    elif source in own:
        present += contribution
        gradients[source] = present
    else:
        gradients[source] = present + contribution
        own.add(source)


def _accumulate(node: Node, arriving: Any, owned: bool) -> None:
    if node.gradient is None:
        node.gradient = arriving if owned else np.array(arriving, subok=True)
    else:
        node.gradient = node.gradient + arriving
