"""The seed corpus of the signature readers: the vectors of the attack table, and sound tokens."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from signing.policy import Trust

FOLDER: Final = Path(__file__).resolve().parents[1] / "vectors" / "signing"
AT: Final = datetime(2022, 4, 12, 2, 30, tzinfo=UTC)
MAX_SEED_BYTES: Final = 32 * 1024
_TOKEN: Final = re.compile(rb"EncapsulatedTimeStamp>([A-Za-z0-9+/=]+)<")


def trust() -> Trust:
    """Return the trust by which most vectors are judged."""
    folder = FOLDER / "trust"
    return Trust(
        anchors=((folder / "anchor.der").read_bytes(),),
        certificates=((folder / "issuing.der").read_bytes(),),
        crls=tuple(path.read_bytes() for path in sorted(folder.glob("current.*.crl"))),
    )


def seeds(kind: str) -> Iterator[bytes]:
    """Yield the seeds for `container`, `xml` or `token`."""
    for path in sorted(FOLDER.glob("*.vec")):
        head, _, content = path.read_bytes().partition(b"\n\n")
        if len(content) > MAX_SEED_BYTES:
            continue
        if kind == "token":
            yield from (b64decode(one) for one in _TOKEN.findall(content)[:1])
        elif f"kind: {kind}\n".encode() in head:
            yield content
