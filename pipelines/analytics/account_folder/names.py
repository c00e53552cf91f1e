"""Names of files and folders that every system accepts."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

_MAX_BYTES = 120
# Names of devices, which Windows also reserves with an extension.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_INVALID = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u2028-\u202e\u2066-\u2069]+')
_UNNAMED = "unnamed"


def safe_name(text: str) -> str:
    """Return a text as the name of a file: valid in Windows, and of 120 bytes at most."""
    name = _INVALID.sub(" ", unicodedata.normalize("NFC", text))
    name = " ".join(name.split()).encode()[:_MAX_BYTES].decode(errors="ignore").strip(" .")
    if not name:
        return _UNNAMED
    return f"{name}_" if _RESERVED.fullmatch(name) else name


def unique_names(names: Mapping[str, str], reserved: Iterable[str] = ()) -> dict[str, str]:
    """Return a safe name per id. Names that would be one file on some system have a part of the id's hash.

    Args:
        names: The name by id.
        reserved: Names that are used already.
    """
    safe = {key: safe_name(name) for key, name in names.items()}
    counts = Counter(_fold(name) for name in (*safe.values(), *reserved))
    return {
        key: f"{name} ({hashlib.sha256(key.encode()).hexdigest()[:12]})" if counts[_fold(name)] > 1 else name
        for key, name in safe.items()
    }


def _fold(name: str) -> str:
    """Return what a system that ignores upper and lower case compares."""
    return unicodedata.normalize("NFD", name).casefold()
