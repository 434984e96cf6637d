"""Names of machines and runs as names of folders and files."""

from __future__ import annotations

import hashlib
import re

LONGEST_SLUG = 100

# Names that Windows gives to devices, whatever their ending, and the folder that marks runs as not made here.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9])(?:\..*)?|published")


def slug(text: str) -> str:
    """``text`` as one safe component of a path: small letters, digits, dots and dashes, never a way out of a folder.

    A long name is cut and ends in a hash, so that two long names stay two.
    """
    safe = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-.") or "unnamed"
    if _RESERVED.fullmatch(safe):
        safe = f"_{safe}"
    if len(safe) > LONGEST_SLUG:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
        safe = f"{safe[: LONGEST_SLUG - len(digest) - 1]}-{digest}"
    return safe
