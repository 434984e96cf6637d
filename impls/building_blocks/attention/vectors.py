"""Vectors of float32 that live in registers, for numba: load, store, add, maximum, exp2.

numba's own loops over arrays reload and store at every step and check for aliasing; a variable of type ``Vector`` is a
register. WIDTH is that of the widest registers of this machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numba.extending
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel.models import PrimitiveModel
from numba.core.datamodel.registry import register_default

# numba types an intrinsic as the function below the decorator, which takes other arguments than its caller gives.
intrinsic: Any = numba.extending.intrinsic
FEATURES = llvmlite.binding.get_host_cpu_features()
WIDTH = 16 if FEATURES.get("avx512f") else 8 if FEATURES.get("avx") else 4
VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
INTEGERS = ir.VectorType(ir.IntType(32), WIDTH)
# exp2 on [-0.5, 0.5]: the minimax coefficients of Cephes' exp2f (Moshier), from the sixth power down.
EXP2 = (
    1.535336188319500e-4,
    1.339887440266574e-3,
    9.618437357674640e-3,
    5.550332471162809e-2,
    2.402264791363012e-1,
    6.931472028550421e-1,
    1.0,
)
SMALLEST_EXPONENT = -126.0


class _VectorType(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"float32x{WIDTH}")


vector_type = _VectorType()


@register_default(_VectorType)
class _VectorModel(PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, VECTOR)


def constant(value: float) -> ir.Constant:
    """All elements of an LLVM vector set to ``value``."""
    return ir.Constant(VECTOR, [value] * WIDTH)


def call_llvm(builder: Any, name: str, *vectors: Any) -> Any:
    """The LLVM intrinsic ``name`` for vectors of this width."""
    kind = ir.FunctionType(VECTOR, [VECTOR] * len(vectors))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f32"), vectors)


def spread_scalar(builder: Any, scalar: Any) -> Any:
    """A vector with ``scalar`` in every element."""
    undefined, zero = ir.Constant(VECTOR, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    single = builder.insert_element(undefined, scalar, zero)
    return builder.shuffle_vector(single, undefined, ir.Constant(INTEGERS, [0] * WIDTH))


def element_pointer(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    """Pointer to element ``offset`` of a flat float32 array."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [offset])


def as_vectors(builder: Any, pointer: Any) -> Any:
    return builder.bitcast(pointer, VECTOR.as_pointer())


@intrinsic
def load(typing: Any, array: Any, at: Any) -> Any:
    """array[at : at + WIDTH] of a flat float32 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = element_pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        return builder.load(as_vectors(builder, pointer), align=4)

    return vector_type(array, types.int64), generate


@intrinsic
def store(typing: Any, array: Any, at: Any, vector: Any) -> Any:
    """array[at : at + WIDTH] = vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = element_pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        builder.store(arguments[2], as_vectors(builder, pointer), align=4)
        return context.get_dummy_value()

    return types.void(array, types.int64, vector_type), generate


@intrinsic
def spread(typing: Any, scalar: Any) -> Any:
    """A vector of equal elements."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return spread_scalar(builder, arguments[0])

    return vector_type(types.float32), generate


def _of_two(emit: Callable[[Any, Any, Any], Any]) -> Any:
    @intrinsic
    def operation(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return emit(builder, *arguments)

        return vector_type(vector_type, vector_type), generate

    return operation


add = _of_two(lambda builder, a, b: builder.fadd(a, b))
subtract = _of_two(lambda builder, a, b: builder.fsub(a, b))
times = _of_two(lambda builder, a, b: builder.fmul(a, b))
# A plain comparison, which is one instruction; llvm.maxnum would order NaN as well.
maximum = _of_two(lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), a, b))


@intrinsic
def select_above(typing: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """Element by element, yes where a > b and no elsewhere."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, yes, no = arguments
        return builder.select(builder.fcmp_ordered(">", a, b), yes, no)

    return vector_type(vector_type, vector_type, vector_type, vector_type), generate


@intrinsic
def exp2(typing: Any, x: Any) -> Any:
    """2 ** x for x up to 127, to about one unit in the last place; 0 below 2 ** -126, for -inf too."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (x,) = arguments
        small = builder.fcmp_ordered("<", x, constant(SMALLEST_EXPONENT))
        x = builder.select(small, constant(SMALLEST_EXPONENT), x)
        whole = call_llvm(builder, "rint", x)
        fraction = builder.fsub(x, whole)
        power = constant(EXP2[0])
        for coefficient in EXP2[1:]:
            power = call_llvm(builder, "fma", power, fraction, constant(coefficient))
        exponent = builder.add(builder.fptosi(whole, INTEGERS), ir.Constant(INTEGERS, [127] * WIDTH))
        bits = builder.shl(exponent, ir.Constant(INTEGERS, [23] * WIDTH))
        return builder.select(small, constant(0.0), builder.fmul(power, builder.bitcast(bits, VECTOR)))

    return vector_type(vector_type), generate


@intrinsic
def keep_out_of_line(typing: Any) -> Any:
    """Stops LLVM from copying the function that calls this into its callers, which would triple their compile time."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate
