"""Where each side's code is imported from: its own checkout, and never the other's.

What a project is installed from, its source folder, is a folder of the working tree. Base must find it in its own
checkout, or it would be measured with head's library and be the same as head without being so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.gate.revisions import Checkout

ENGINE = "harness"
"""Both sides are measured by the one engine that runs."""
_INSTALLED = ("site-packages", "dist-packages")


def source_folders(side: Checkout) -> tuple[Path, ...]:
    """Folders of a checkout that its packages may lie in: the project's, the repository's, and ``src`` in either."""
    folders = (side.root, side.root / "src", side.top, side.top / "src")
    return tuple(folder for folder in dict.fromkeys(folders) if folder.is_dir())


def import_path(side: Checkout, installed_from: Path, path: Sequence[str] | None = None) -> tuple[str, ...]:
    """``sys.path`` for the processes of one side.

    :param installed_from: top folder of the working tree; what ``path`` has of it is taken from the side's checkout.
    :param path: that of this process.
    """
    path = sys.path if path is None else path
    inside = [*(Path(folder).resolve() for folder in path if folder), *_editable_folders()]
    of_project = [_moved(folder, installed_from, side.top) for folder in inside if _is_source(folder, installed_from)]
    # The project's folder first, as ever. What else may hold packages comes after the standard library, so that a file
    # of the same name cannot take its place, and before what is installed.
    others = [folder for folder in path if not folder or not _is_source(Path(folder).resolve(), installed_from)]
    first_installed = next(
        (index for index, folder in enumerate(others) if Path(folder).name in _INSTALLED), len(others)
    )
    own = dict.fromkeys(str(folder) for folder in (*of_project, *source_folders(side)))
    found = [str(side.root), *others[:first_installed], *own, *others[first_installed:]]
    return tuple(dict.fromkeys(found))


@contextmanager
def importing_from(path: Sequence[str], top: Path) -> Iterator[None]:
    """Import along ``path`` until the context ends, and then forget the modules that came from ``top``.

    Those of the two sides have the same names.
    """
    before = list(sys.path)
    sys.path[:] = path
    try:
        yield
    finally:
        sys.path[:] = before
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and name.split(".")[0] not in (ENGINE, "__main__") and _is_source(Path(file), top):
                del sys.modules[name]


def preloadable(names: Sequence[str], wanted: frozenset[str], sides: Sequence[Checkout]) -> tuple[str, ...]:
    """Of the packages that a project wants imported once for all workers, those that one of the sides uses.

    None of its own: a worker would find the other side's already there.
    """
    folders = [folder for side in sides for folder in source_folders(side)]

    def is_own(top: str) -> bool:
        return any((folder / top).is_dir() or (folder / f"{top}.py").is_file() for folder in folders)

    return tuple(name for name in names if name.split(".")[0] in wanted and not is_own(name.split(".")[0]))


def _is_source(folder: Path, top: Path) -> bool:
    """Whether it belongs to the repository's code: inside it, and in no environment that lies there."""
    if not folder.is_relative_to(top) or any(part in _INSTALLED for part in folder.parts):
        return False
    return not folder.is_relative_to(sys.prefix) or top.is_relative_to(sys.prefix)


def _moved(folder: Path, top: Path, to: Path) -> Path:
    return to / folder.relative_to(top)


def _editable_folders() -> Iterator[Path]:
    """Folders that an editable installation adds by a finder of its own instead of a line in ``sys.path``."""
    for finder in sys.meta_path:
        module = sys.modules.get(getattr(finder, "__module__", ""))
        mapping = getattr(module, "MAPPING", None)
        if isinstance(mapping, dict):
            for name, folder in mapping.items():
                if isinstance(folder, str) and Path(folder).name == str(name):
                    yield Path(folder).parent
