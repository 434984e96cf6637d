"""What a suite or an implementation is made of: its own files, those that it imports, and the data beside them."""

from __future__ import annotations

import ast
import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.gate.importing import ENGINE, source_folders
from harness.gate.revisions import Checkout

_PINS = (
    "constraints*.txt", "requirements*.txt", "requirements/*.txt", "uv.lock", "poetry.lock", "pdm.lock", "pylock*.toml",
    "Pipfile.lock", "environment.yml", "environment.yaml", "conda-lock.yml", ".python-version", "setup.cfg", "setup.py",
)  # fmt: skip
_DEPENDENCIES = (
    ("project", "dependencies"), ("project", "optional-dependencies"), ("project", "requires-python"),
    ("build-system", "requires"), ("dependency-groups",), ("tool", "poetry", "dependencies"),
    ("tool", "bakeoff", "gate", "install"),
)  # fmt: skip
_NO_DATA = (".py", ".pyc", ".pyi", ".md", ".rst")


@dataclass(frozen=True)
class Code:
    """The files of something by their path in the checkout, with a hash of each.

    :param packages: the top-level names of everything else that it imports.
    """

    files: Mapping[str, str]
    packages: frozenset[str]

    def differences(self, other: Code) -> tuple[str, ...]:
        """The files that are not the same, in the order of their names."""
        names = {*self.files, *other.files}
        return tuple(sorted(name for name in names if self.files.get(name) != other.files.get(name)))


class CodeReader:
    """Reads the imports of one side's files from their syntax trees; nothing is imported.

    Names that are put together while a program runs are not seen.
    """

    def __init__(self, side: Checkout) -> None:
        self._side = side
        self._folders = source_folders(side)
        self._imports: dict[Path, tuple[tuple[Path, ...], frozenset[str]]] = {}
        self._hashes: dict[Path, str] = {}

    def code_of(self, files: Iterable[Path]) -> Code:
        """:param files: what to begin with; imports inside functions count as well."""
        left = [file.resolve() for file in files]
        seen: set[Path] = set()
        packages: set[str] = set()
        while left:
            file = left.pop()
            if file in seen:
                continue
            seen.add(file)
            if file.suffix == ".py":
                own, others = self._imported(file)
                left += own
                packages |= others
        data = {each for folder in {file.parent for file in seen} for each in self._data_in(folder)}
        return Code({self._name(file): self._hash(file) for file in seen | data}, frozenset(packages))

    def _imported(self, file: Path) -> tuple[tuple[Path, ...], frozenset[str]]:
        if file not in self._imports:
            own: dict[Path, None] = {}
            others: set[str] = set()
            for module in _imports_of(file, self._folders):
                top = module.split(".")[0]
                found = [] if top == ENGINE else list(self._files_of(module))
                own |= dict.fromkeys(found)
                if not found:
                    others.add(top)
            self._imports[file] = tuple(own), frozenset(others)
        return self._imports[file]

    def _files_of(self, module: str) -> Iterator[Path]:
        """The file of a module of the checkout, and of the packages that are imported on the way to it."""
        parts = module.split(".")
        for folder in self._folders:
            if not (folder / parts[0]).is_dir() and not (folder / f"{parts[0]}.py").is_file():
                continue
            for length in range(1, len(parts) + 1):
                base = folder.joinpath(*parts[:length])
                for file in (base / "__init__.py", base.with_name(f"{base.name}.py")):
                    if file.is_file():
                        yield file.resolve()

    def _data_in(self, folder: Path) -> Iterator[Path]:
        if folder in self._folders or not folder.is_relative_to(self._side.top):
            return  # where a project's papers lie, and not what its code reads
        for file in folder.iterdir():
            if file.is_file() and file.suffix not in _NO_DATA and not file.name.startswith("."):
                yield file

    def _name(self, file: Path) -> str:
        return file.relative_to(self._side.top).as_posix() if file.is_relative_to(self._side.top) else str(file)

    def _hash(self, file: Path) -> str:
        if file not in self._hashes:
            self._hashes[file] = hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
        return self._hashes[file]


def environment_differences(base: Checkout, head: Checkout) -> tuple[str, ...]:
    """The files that say which packages to install, and in which versions, where they differ between the sides."""
    places = dict.fromkeys((Path(), base.root.relative_to(base.top)))
    differing = []
    for place in places:
        name = (place / "pyproject.toml").as_posix()
        if _dependencies(base.top / name) != _dependencies(head.top / name):
            differing.append(name)
        pins = {
            (place / file.relative_to(side.top / place)).as_posix()
            for side in (base, head)
            for pattern in _PINS
            for file in (side.top / place).glob(pattern)
        }
        differing += [pin for pin in sorted(pins) if _bytes(base.top / pin) != _bytes(head.top / pin)]
    return tuple(differing)


def _dependencies(file: Path) -> Sequence[Any]:
    text = _bytes(file)
    try:
        document: Any = tomllib.loads((text or b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return (text,)
    return [value_at(document, keys) for keys in _DEPENDENCIES]


def value_at(document: Any, keys: Sequence[str]) -> Any:
    """What a TOML document holds at a path of keys; ``None`` where it ends before."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _imports_of(file: Path, folders: Sequence[Path]) -> Iterator[str]:
    """The full names of the modules that a file imports, at any level; of one that is no Python none."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = _package_of(file, folders, node.level) if node.level else ""
            module = ".".join(part for part in (package, node.module or "") if part)
            if module:
                yield from (f"{module}.{alias.name}" for alias in node.names)


def _package_of(file: Path, folders: Sequence[Path], level: int) -> str:
    """The package that a relative import of so many dots means."""
    folder = file.parents[level - 1]
    for source in sorted(folders, key=lambda each: -len(each.parts)):
        if folder.is_relative_to(source):
            return ".".join(folder.relative_to(source).parts)
    return ""
