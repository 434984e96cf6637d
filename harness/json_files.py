"""JSON from files of unknown origin: nothing is run, nothing blocks, and no more is read than is ever written."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

LARGEST_LINE_BYTES = 8 * 2**20
"""A record of a full run with all its samples has under a hundredth of it."""
LARGEST_DOCUMENT_BYTES = 8 * 2**20

_CHUNK_BYTES = 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class NotJson(ValueError):
    """The bytes are no JSON that this program reads; the message says why, without the place in the file."""


def open_regular(path: Path) -> BinaryIO:
    """Open a plain file, or a link to one, for reading.

    :raises OSError: it cannot be read, or is something else; opening a named pipe would wait for its writer for ever.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        os.close(number)
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise OSError(errno.EINVAL, f"it is {what}, not a file", str(path))
    return os.fdopen(number, "rb")


def read_document(path: Path, most_bytes: int = LARGEST_DOCUMENT_BYTES) -> Any:
    """The value in a JSON file.

    :raises OSError: it cannot be read.
    :raises NotJson: it has more than ``most_bytes`` or is no JSON.
    """
    with open_regular(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise NotJson(f"it is larger than {most_bytes // 2**20} MiB")
    return parse(data.removeprefix(_BYTE_ORDER_MARK))


def read_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not blank, with their numbers from 1; ``None`` for one that is too long to be read."""
    number = 0
    while line := file.readline(LARGEST_LINE_BYTES + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if len(line) > LARGEST_LINE_BYTES and not line.endswith(b"\n"):
            _skip_line(file)
            yield number, None
        elif line.strip():
            yield number, line


def parse(data: bytes) -> Any:
    """The JSON value in ``data``.

    ``NaN`` and ``Infinity``, which Python writes and JSON has not, are read, so that whoever looks at the value can say
    which number may not be one of them.

    :raises NotJson: it is none, is no UTF-8, is nested too deeply, has a number of too many digits or a name twice.
    """
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise NotJson(f"it is no UTF-8: byte 0x{data[error.start]:02x} at position {error.start + 1}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        raise NotJson(f"it is no JSON: {error.msg} at {place}") from None
    except NotJson:
        raise
    except ValueError:
        raise NotJson("it holds a number of too many digits") from None
    except RecursionError:
        raise NotJson("it is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1) if len(names) < 1000 else "one of many"
        raise NotJson(f"an object has the name {twice[:60]!r} twice")
    return found


def _skip_line(file: BinaryIO) -> None:
    while chunk := file.readline(_CHUNK_BYTES):
        if chunk.endswith(b"\n"):
            return
