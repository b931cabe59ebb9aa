"""The files inside edXML: base64, mostly of a ZIP with one entry; hostile until shown otherwise."""

from __future__ import annotations

import base64
import binascii
import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import Final

from connectors.archive import BROKEN, read_entry

_ZIP: Final = b"PK\x03\x04"
_RATIO: Final = 200  # the most that one layer may expand
_NAME_CHARACTERS: Final = 200
_SEPARATORS: Final = re.compile(r"[\\/:]")
_FORBIDDEN: Final = frozenset('<>"|?*')
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpacked:
    """What one ZIP layer held, or the bytes as they were."""

    content: bytes
    was_refused: bool = False  # a ZIP of one entry that passes a cap or cannot be read


def decode(text: bytes) -> bytes | None:
    """Return the bytes of base64 with white space in it; None for anything else."""
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def unpack(content: bytes, *, limit_bytes: int) -> Unpacked:
    """Take off one ZIP layer that holds exactly one file, read through its central directory."""
    if not content.startswith(_ZIP):
        return Unpacked(content=content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) != 1 or entries[0].is_dir():
                return Unpacked(content=content)
            limit = min(limit_bytes, _RATIO * len(content))
            inner = read_entry(archive, entries[0], limit_bytes=limit)
    except BROKEN:
        return Unpacked(content=content, was_refused=True)
    if len(inner) > limit:
        return Unpacked(content=content, was_refused=True)
    return Unpacked(content=inner)


def pack(name: str, content: bytes) -> bytes:
    """Return a ZIP that holds one file; equal input gives equal bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, content)
    return written.getvalue()


def safe_name(name: str, *, number: int) -> str:
    """Return a file name to show and to store under: no path, no control or reordering signs."""
    last = _SEPARATORS.split(unicodedata.normalize("NFC", name))[-1]
    kept = "".join(
        sign
        for sign in last
        if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        and sign not in _FORBIDDEN
    ).strip(" .")
    if not kept or _RESERVED.fullmatch(kept):
        return f"attachment-{number}"
    stem, dot, suffix = kept.rpartition(".")
    if len(kept) > _NAME_CHARACTERS and dot and len(suffix) < 20:
        return stem[: _NAME_CHARACTERS - len(suffix) - 1] + dot + suffix
    return kept[:_NAME_CHARACTERS]
