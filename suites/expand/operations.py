"""Everything that writes into a tensor, found by asking torch: its dispatcher's schemas, its methods and functions.

No operation is named here, so that those of a later torch are found too.
"""

from __future__ import annotations

import inspect
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Group = Literal["in place", "out="]


@dataclass(frozen=True)
class Parameter:
    """An argument for which a value must be found; ``type`` is the schema's, ``Tensor`` or ``Optional[int]``."""

    name: str
    type: str
    keyword: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Operation:
    """Something that writes, called as Python calls it.

    :param name: the dispatcher's, ``add_.Tensor``, or Python's, ``Tensor.__setitem__``.
    :param parameters: what it takes beside the tensor that is written.
    :param call: ``(target, *positional, **keywords)``; of the group ``out=``: ``(*positional, out=..., **keywords)``.
    :param plain: the same out of place: without ``out``, or with a source in the target's place; ``None`` where torch
        has none.
    :param in_list: the target is handed over in a list.
    :param random: it draws random numbers.
    :param others: parameters that it may take instead, where there is no schema to say which.
    """

    name: str
    group: Group
    parameters: tuple[Parameter, ...]
    call: Callable[..., Any]
    plain: Callable[..., Any] | None
    in_list: bool = False
    random: bool = False
    others: tuple[tuple[Parameter, ...], ...] = ()


def writing_operations() -> tuple[Operation, ...]:
    """The public operations of this torch that write elements of a dense tensor, sorted by group and name.

    Left out is what torch itself tags as changing the view and not its elements (``transpose_``, ``set_``), what Python
    does not reach, and names with an underscore in front, but for operators and the documented ``_foreach`` functions.
    """
    found = {operation.name: operation for operation in (*_of_schemas(), *_of_methods(), *_of_functions())}
    return tuple(sorted(found.values(), key=lambda operation: (operation.group, operation.name)))


def _of_schemas() -> Iterator[Operation]:
    import torch

    for schema in torch._C._jit_get_all_schemas():
        space, _, name = schema.name.partition("::")
        full = f"{name}.{schema.overload_name}" if schema.overload_name else name
        if space != "aten" or not _is_public(name) or not torch._C._dispatch_has_kernel(f"aten::{full}"):
            continue
        written = [argument for argument in schema.arguments if argument.alias_info and argument.alias_info.is_write]
        call = _binding(name)
        if not written or call is None:
            continue
        tags = getattr(getattr(torch.ops.aten, name), schema.overload_name or "default").tags
        if torch.Tag.inplace_view in tags:
            continue
        random = torch.Tag.nondeterministic_seeded in tags
        rest = [argument for argument in schema.arguments if argument not in written]
        parameters = tuple(
            Parameter(argument.name, str(argument.type), argument.kwarg_only, argument.has_default_value())
            for argument in rest
        )
        kinds = {str(argument.type) for argument in written}
        if all(argument.is_out for argument in written):
            if kinds == {"Tensor"}:
                yield Operation(full, "out=", parameters, call, call, random=random)
        elif name.endswith("_") and written == schema.arguments[:1] and kinds <= {"Tensor", "List[Tensor]"}:
            plain = _out_of_place(name)
            in_list = kinds == {"List[Tensor]"}
            yield Operation(full, "in place", parameters, call, plain, in_list, random)


def _of_methods() -> Iterator[Operation]:
    """What Python adds to the class: methods without a schema, and operators."""
    import torch

    known = {schema.name.partition("::")[2] for schema in torch._C._jit_get_all_schemas()}
    operators = {name for name in dir(operator) if name.startswith("__i")} - {"__index__", "__inv__", "__invert__"}
    for name in dir(torch.Tensor):
        method = getattr(torch.Tensor, name)
        if name in known or not callable(method):
            continue
        if name in operators:
            plain = getattr(torch.Tensor, f"__{name[3:]}", None)
            others: tuple[tuple[Parameter, ...], ...] = (_unnamed("number"),)
            yield Operation(f"Tensor.{name}", "in place", _unnamed("Tensor"), method, plain, others=others)
        elif name == "__setitem__":
            for key, value in itertools.product(("Ellipsis", "Tensor"), ("number", "Tensor")):
                yield Operation(f"Tensor.{name}({key}, {value})", "in place", _unnamed(key, value), method, None)
        elif name.endswith("_") and not name.startswith("_"):
            plain = getattr(torch.Tensor, name[:-1], None)
            others = tuple(_unnamed(*["Tensor"] * count, "Callable") for count in range(3))
            yield Operation(f"Tensor.{name}", "in place", (), method, plain, others=others)


def _of_functions() -> Iterator[Operation]:
    """Functions with ``inplace=True``, and initialisers."""
    from torch.nn import functional, init

    for name, function in sorted(vars(functional).items()):
        parameters = _signature(function)
        if not name.startswith("_") and "inplace" in parameters:
            needed = _needed(parameters)
            yield Operation(f"functional.{name}", "in place", needed, _with_inplace(function, True),
                            _with_inplace(function, False))  # fmt: skip
    for name, function in sorted(vars(init).items()):
        if not name.startswith("_") and name.endswith("_") and inspect.isfunction(function):
            yield Operation(f"init.{name}", "in place", _needed(_signature(function)), function, None)


def _unnamed(*types: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(f"argument_{index}", each) for index, each in enumerate(types))


def _is_public(name: str) -> bool:
    """What belongs to a backend that this machine may not have is no operation of its own."""
    if name.startswith(("cudnn_", "miopen_", "mkldnn_")):
        return False
    return not name.startswith("_") or name.startswith(("_foreach_", "__i"))


def _binding(name: str) -> Callable[..., Any] | None:
    """What Python calls; only through it do torch's warnings become Python's."""
    import torch

    spaces: list[Any] = [torch.Tensor, torch] if name.endswith("_") else [torch]
    places = [(space, name) for space in (*spaces, torch._C._nn)]
    prefix, _, short = name.partition("_")
    if prefix in ("linalg", "special", "fft"):
        places.append((getattr(torch, prefix), short))
    return next((getattr(space, each) for space, each in places if callable(getattr(space, each, None))), None)


def _out_of_place(name: str) -> Callable[..., Any] | None:
    return _binding(f"__{name[3:]}" if name.startswith("__i") else name[:-1])


def _signature(function: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters if callable(function) else {}
    except ValueError:  # written in C++, so that its schema has it
        return {}


def _needed(parameters: Mapping[str, inspect.Parameter]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(each.name, "Tensor" if "Tensor" in str(each.annotation) else "number")
        for each in list(parameters.values())[1:]
        if each.default is inspect.Parameter.empty and each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    )


def _with_inplace(function: Callable[..., Any], inplace: bool) -> Callable[..., Any]:
    return lambda *arguments, **keywords: function(*arguments, inplace=inplace, **keywords)
