"""Reading what an implementation's file declares from its source alone.

The parent process never runs an implementation, so the literals in ``@implements(...)``, the first line of the
docstring and the imports are read from the syntax tree.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from harness.contract import ArrayKind, Scalar, implements
from harness.printable import LONGEST_NAME, is_printable, printable

_KEYWORDS = tuple(name for name in inspect.signature(implements).parameters if name != "suite")
_NOT_LITERAL = ("counters",)


class DiscoveryError(Exception):
    """A file among the suites or implementations breaks the contract; the message names it and says what to do."""


ONLY_FOR, ONLY_UP_TO = "only for ", "only up to "


@dataclass(frozen=True)
class Listing:
    """What is known of an implementation without importing it.

    :param reason: why it cannot run here; empty when it can.
    :param origin: where it came from: ``project``, ``path PATH`` or ``package NAME``.
    :param sources: its own file and every file of the project that it imports, directly or not.
    """

    name: str
    suite: str
    path: Path
    module: str
    origin: str
    title: str = ""
    arrays: ArrayKind = "numpy"
    devices: tuple[str, ...] = ("cpu",)
    dtypes: tuple[str, ...] = ("float32",)
    phases: tuple[str, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    mutates: tuple[str, ...] = ()
    inline: bool = False
    library: str = ""
    reason: str = ""
    sources: tuple[Path, ...] = ()

    @property
    def available(self) -> bool:
        return not self.reason

    def excludes(self, case: Mapping[str, Scalar]) -> str:
        """Why the implementation does not do this case, or an empty string."""
        for parameter, limit in self.limits.items():
            value = case.get(parameter)
            if value is None:
                continue
            if isinstance(limit, tuple | list):
                if value not in limit:
                    *others, last = map(str, limit)
                    return f"{ONLY_FOR}{parameter}={' or '.join([', '.join(others), last] if others else [last])}"
            elif float(value) > float(limit):
                return f"{ONLY_UP_TO}{parameter}={limit}"
        return ""


def is_limit(reason: str) -> bool:
    """Whether something was not measured since the implementation is not meant for such cases."""
    return reason.startswith((ONLY_FOR, ONLY_UP_TO))


@dataclass(frozen=True)
class Own:
    """What belongs to the project, so that its absence is an error and not an unavailable package.

    :param packages: top-level packages; the engine's own is always one.
    :param impls: folder whose files, where imported, are part of an implementation.
    """

    root: Path
    packages: tuple[str, ...]
    impls: Path

    def holds(self, top: str) -> bool:
        return top in self.packages or top == "harness"

    def file_of(self, module: str) -> Path | None:
        """The file of a module among the implementations and their building blocks."""
        return _file_of(self.root, self.impls, module) if module.split(".")[0] in self.packages else None


def read_listing(path: Path, *, name: str, module: str, origin: str, own: Own) -> Listing:
    """Read the implementation in ``path``.

    :param own: what belongs to the project; its imports are followed, any other module that cannot be found makes the
        implementation unavailable.
    :raises DiscoveryError: the file has no ``@implements``, or it does not say for which suite, or cannot be named.
    """
    if not is_printable(name, LONGEST_NAME):
        raise DiscoveryError(
            f"{printable(str(path))}: the name of an implementation is shown in tables, and this one is too long or "
            "holds a character that cannot be printed; rename the file"
        )
    try:
        tree = ast.parse(_head(path.read_text(encoding="utf-8")), filename=str(path))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        raise DiscoveryError(f"{path} cannot be read as Python: {error}") from error
    call = _implements_call(tree, path)
    declared = _declared(call, path)
    sources: set[Path] = set()
    reason = _missing_package(path, own, sources)
    return Listing(
        name=name,
        suite=_suite_name(tree, call, path),
        path=path,
        module=module,
        origin=printable(origin),
        title=printable((ast.get_docstring(tree) or "").strip().split("\n")[0]),
        reason=reason,
        sources=tuple(sorted(sources)),
        **declared,
    )


def _head(text: str) -> str:
    """The file up to the function that is decorated, whose body says nothing here and takes long to parse."""
    decorators = list(_DECORATOR.finditer(text))
    definition = _DEFINITION.search(text, decorators[0].end()) if len(decorators) == 1 else None
    return f"{text[: definition.start()]}def implementation(): ...\n" if definition else text


def _implements_call(tree: ast.Module, path: Path) -> ast.Call:
    calls = [
        decorator
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "implements"
    ]
    if len(calls) != 1:
        found = "no function" if not calls else f"{len(calls)} functions"
        raise DiscoveryError(
            f"{path} has {found} decorated with @implements(SUITE); an implementation's file has exactly one "
            "(start the file's name with an underscore, or put it into building_blocks, if it is none)"
        )
    return calls[0]


def _declared(call: ast.Call, path: Path) -> dict[str, Any]:
    declared: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg not in _KEYWORDS:
            raise DiscoveryError(f"{path}:{call.lineno}: @implements has no argument {keyword.arg!r}")
        if keyword.arg in _NOT_LITERAL:
            continue
        try:
            value = ast.literal_eval(keyword.value)
        except ValueError as error:
            raise DiscoveryError(
                f"{path}:{call.lineno}: {keyword.arg} in @implements must be written as a literal, "
                "since it is read without importing the file"
            ) from error
        declared[keyword.arg] = tuple(value) if isinstance(value, list) else value
    return declared


def _suite_name(tree: ast.Module, call: ast.Call, path: Path) -> str:
    """The topic of the suite that the decorator's first argument was imported from."""
    if not call.args or not isinstance(call.args[0], ast.Name):
        raise DiscoveryError(f"{path}:{call.lineno}: @implements needs the suite as its first argument")
    name = call.args[0].id
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and any((a.asname or a.name) == name for a in node.names):
            parts = node.module.split(".")
            return parts[-2] if parts[-1] == "suite" and len(parts) > 1 else parts[-1]
    raise DiscoveryError(
        f"{path}:{call.lineno}: cannot tell which suite {name} is; import it as 'from suites.TOPIC.suite import {name}'"
    )


def _missing_package(file: Path, own: Own, sources: set[Path]) -> str:
    """The first module-level import of a package that is not ours and not installed, as a reason.

    Our own implementation files are followed and added to ``sources``.
    """
    sources.add(file)
    imported = _quick_imports(file)
    if any(_missing(module, own) for module in imported):
        # what looked like an import may stand in a docstring
        imported = tuple(_imported_modules(ast.parse(file.read_text(encoding="utf-8")).body))
    missing = next((module.split(".")[0] for module in imported if _missing(module, own)), "")
    reason = f"package {missing} is not installed" if missing else ""
    for module in imported:
        part = own.file_of(module)
        if part is not None and part not in sources:
            deeper = _missing_package(part, own, sources)
            reason = reason or deeper
    return reason


def _missing(module: str, own: Own) -> bool:
    top = module.split(".")[0]
    return not own.holds(top) and top not in sys.stdlib_module_names and not _installed(top, tuple(sys.path))


@cache
def _installed(top: str, path: tuple[str, ...]) -> bool:
    """:param path: where it is looked for, which is not the same for two revisions of a project."""
    return importlib.util.find_spec(top) is not None


_DECORATOR = re.compile(r"^@implements\(", re.MULTILINE)
_DEFINITION = re.compile(r"^def ", re.MULTILINE)
_IMPORT = re.compile(r"^(?:from\s+([\w.]+)\s+import\s+(\([^)]*\)|[^\n#]+)|import\s+([^\n#]+))", re.MULTILINE)


@cache
def _quick_imports(file: Path) -> tuple[str, ...]:
    """Module-level imports by pattern, in a small part of the time of parsing; never fewer than there are."""
    modules: list[str] = []
    for source, names, plain in _IMPORT.findall(file.read_text(encoding="utf-8")):
        if source:
            modules.append(source)
            modules += [f"{source}.{name.split()[0]}" for name in names.strip("() \n").split(",") if name.strip()]
        else:
            modules += [name.split()[0] for name in plain.split(",") if name.strip()]
    return tuple(dict.fromkeys(modules))


def _imported_modules(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _file_of(root: Path, impls: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    if base.is_relative_to(impls):
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return file
    return None
