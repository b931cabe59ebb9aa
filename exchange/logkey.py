"""The key that signs the heads of this node's log: one file, the same on all machines of the node.

It is made at the first use, so a machine whose keys were not copied would make another one. The
database remembers which key the log of this epoch is signed with, and no other one is used.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

from exchange.errors import LogKeyDiffers
from signing.log.keys import load_log_key, new_log_key
from signing.log.note import VerifierKey, verifier_key
from storage import agencies

_REMEMBERED: Final = "log_key"


def origin_of(epoch: str) -> str:
    """Return the name of the log of that epoch (protocol §6)."""
    return f"lienthong/{epoch}"


def path_of(keys_dir: Path) -> Path:
    """Return where the key lies."""
    return keys_dir / "log.key.pem"


def read(keys_dir: Path) -> bytes:
    """Return the key's file, made (0600) at the first use."""
    path = path_of(keys_dir)
    if not path.exists():
        _make(path)
    return path.read_bytes()


def own(keys_dir: Path, *, epoch: str) -> VerifierKey:
    """Return the public half of this machine's key; raise `LogKeyDiffers`."""
    path, remembered = path_of(keys_dir), _remembered(epoch)
    if remembered and not path.exists():
        raise LogKeyDiffers("expected the key that signs this log, got none", file=str(path))
    public = verifier_key(origin_of(epoch), key=load_log_key(read(keys_dir)))
    if remembered not in ("", str(public)):
        raise LogKeyDiffers("expected the key that signs this log, got another", file=str(path))
    return public


def remember(public: VerifierKey) -> None:
    """Hold every machine to this key until the epoch ends."""
    if agencies.node_value(_REMEMBERED) != str(public):
        agencies.set_node_value(_REMEMBERED, str(public))


def _remembered(epoch: str) -> str:
    """Return the key of this epoch as it was printed, empty before the first head."""
    text = agencies.node_value(_REMEMBERED) or ""
    return text if text.startswith(f"{origin_of(epoch)}+") else ""


def _make(path: Path) -> None:
    # Written aside and then named, so that nobody ever reads half of it; the first name stays.
    descriptor, aside = tempfile.mkstemp(dir=path.parent)  # 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(new_log_key())
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    os.unlink(aside)
