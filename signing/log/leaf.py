"""The leaf of one event: what the log commits to without showing it (docs/formats/log.md).

A leaf holds salted hashes only. Whoever holds the opening (content and salts) can show that the
leaf commits to it; deleting the salts blinds the leaf for ever and leaves the tree whole.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from dossier import canonical
from dossier.canonical import Json
from dossier.errors import CanonicalRefused
from dossier.xmltext import instant, parse_instant
from signing.log.errors import LogLeafRefused

SALT_SIZE_BYTES: Final = 32

_VERSION: Final = 1
_HEX: Final = re.compile(r"\A[0-9a-f]{64}\Z")
# One prefix per use, so that no hash of one kind can stand for the other.
_CONTENT: Final = b"lienthong/leaf/content/1\n"
_DOSSIER: Final = b"lienthong/leaf/dossier/1\n"


class LeafKind(Enum):
    """What happened."""

    TRANSITION = "transition"
    MESSAGE = "message"
    RECEIPT = "receipt"
    DIRECTORY = "directory"  # an edition of the directory was imported
    PROCEDURE = "procedure"  # a version of a procedure was proposed, published or refused
    RULES = "rules"  # a rule pack was proposed, published or refused
    EPOCH = "epoch"  # a new log begins and names the last known checkpoint


@dataclass(frozen=True, kw_only=True, slots=True)
class DossierPlace:
    """Which event of which dossier a leaf is."""

    # Code of the dossier; it appears in no leaf.
    dossier: str
    # 32 random bytes, the same for every leaf of this dossier, so that they can be counted.
    salt: bytes
    # 1, 2, 3 … within the dossier; a gap means that an event was left out.
    sequence: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """What the log holds of an event."""

    kind: LeafKind
    # When the node says it happened, UTC, milliseconds.
    at: datetime
    # SHA-256 over salt and content, lower-case hexadecimal.
    content: str
    # SHA-256 over salt and dossier code, or empty for an event of no dossier.
    dossier: str
    # 0 for an event of no dossier.
    dossier_sequence: int

    def dump(self) -> bytes:
        """Return the entry of the log: canonical JSON, its fields sorted by hand.

        Every transition writes a few of these; hashes and names need no escape.
        """
        return (
            f'{{"at":"{instant(self.at)}","content":"{self.content}","dossier":"{self.dossier}",'
            f'"dossier_seq":{self.dossier_sequence},"kind":"{self.kind.value}","v":{_VERSION}}}'
        ).encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What a leaf commits to, with the salts: for the node's history and the evidence bundle."""

    kind: LeafKind
    at: datetime
    # Any canonical JSON; may hold personal data, for it never enters the log.
    content: Json
    # 32 random bytes of this leaf alone.
    salt: bytes
    place: DossierPlace | None

    @property
    def leaf(self) -> Leaf:
        """Return the leaf that commits to this opening."""
        return self._leaf(canonical.dump(self.content))

    def dump(self) -> bytes:
        """Return the opening as canonical JSON; `parse_opening` reads it back."""
        return self._dump(canonical.dump(self.content))

    def dump_both(self) -> tuple[bytes, bytes]:
        """Return the entry of the log and the opening, their content written once."""
        content = canonical.dump(self.content)
        return self._leaf(content).dump(), self._dump(content)

    def _leaf(self, content: bytes) -> Leaf:
        place = self.place
        return Leaf(
            kind=self.kind,
            at=self.at,
            content=hashlib.sha256(_CONTENT + _salt(self.salt) + content).hexdigest(),
            dossier=dossier_token(place.dossier, salt=place.salt) if place else "",
            dossier_sequence=place.sequence if place else 0,
        )

    def _dump(self, content: bytes) -> bytes:
        # Sorted by hand as in `Leaf.dump`; only the dossier's code may need an escape.
        place = self.place
        dossier = canonical.dump(place.dossier if place else "")
        return b'{"at":"%b","content":%b,"dossier":%b,%b}' % (
            instant(self.at).encode(),
            content,
            dossier,
            f'"dossier_salt":"{_salt(place.salt).hex() if place else ""}",'
            f'"dossier_seq":{place.sequence if place else 0},"kind":"{self.kind.value}",'
            f'"salt":"{_salt(self.salt).hex()}","v":{_VERSION}'.encode(),
        )


def dossier_token(dossier: str, *, salt: bytes) -> str:
    """Return the salted hash by which the leaves of one dossier know each other."""
    return hashlib.sha256(_DOSSIER + _salt(salt) + dossier.encode()).hexdigest()


def parse_leaf(content: bytes) -> Leaf:
    """Return the leaf in a log entry; raise `LogLeafRefused` unless it prints back identically."""
    fields = _fields(content, {"at", "content", "dossier", "dossier_seq", "kind", "v"})
    leaf = Leaf(
        kind=_kind(fields),
        at=_instant(fields),
        content=_text(fields, "content"),
        dossier=_text(fields, "dossier"),
        dossier_sequence=_sequence(fields),
    )
    hashes = [leaf.content, leaf.dossier] if leaf.dossier else [leaf.content]
    if not all(_HEX.match(one) for one in hashes) or leaf.dump() != content:
        raise LogLeafRefused("expected salted hashes in their one spelling, got another leaf")
    return leaf


def parse_opening(content: bytes) -> Opening:
    """Return the opening in `content`; raise `LogLeafRefused` unless it prints back identically."""
    names = {"at", "content", "dossier", "dossier_salt", "dossier_seq", "kind", "salt", "v"}
    fields = _fields(content, names)
    dossier = _text(fields, "dossier")
    sequence = _sequence(fields)
    place = (
        DossierPlace(dossier=dossier, salt=_hex(fields, "dossier_salt"), sequence=sequence)
        if dossier
        else None
    )
    opening = Opening(
        kind=_kind(fields),
        at=_instant(fields),
        content=fields["content"],
        salt=_hex(fields, "salt"),
        place=place,
    )
    if opening.dump() != content:
        raise LogLeafRefused("expected the one spelling of an opening, got another")
    return opening


def _fields(content: bytes, names: set[str]) -> Mapping[str, Json]:
    try:
        value = canonical.parse(content)
    except CanonicalRefused as exc:
        raise LogLeafRefused(f"expected canonical JSON of a leaf: {exc}") from exc
    if not isinstance(value, Mapping) or set(value) != names or value["v"] != _VERSION:
        raise LogLeafRefused(f"expected a leaf of version {_VERSION} with its fields, got another")
    return value


def _text(fields: Mapping[str, Json], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise LogLeafRefused(f"expected text in {name}, got another type")
    return value


def _sequence(fields: Mapping[str, Json]) -> int:
    """Return the place in the dossier: from 1 in a dossier, 0 outside one."""
    value = fields["dossier_seq"]
    inside = fields["dossier"] != ""
    if not isinstance(value, int) or isinstance(value, bool) or (value >= 1) != inside or value < 0:
        raise LogLeafRefused("expected a sequence from 1 in a dossier and 0 outside, got another")
    return value


def _kind(fields: Mapping[str, Json]) -> LeafKind:
    try:
        return LeafKind(_text(fields, "kind"))
    except ValueError as exc:
        raise LogLeafRefused("expected a known kind of leaf, got another") from exc


def _instant(fields: Mapping[str, Json]) -> datetime:
    try:
        return parse_instant(_text(fields, "at"))
    except ValueError as exc:
        raise LogLeafRefused("expected an instant in UTC with milliseconds, got another") from exc


def _hex(fields: Mapping[str, Json], name: str) -> bytes:
    value = _text(fields, name)
    if not _HEX.match(value):
        raise LogLeafRefused(f"expected 64 hexadecimal digits in {name}, got another")
    return bytes.fromhex(value)


def _salt(salt: bytes) -> bytes:
    if len(salt) != SALT_SIZE_BYTES:
        raise LogLeafRefused(f"expected a salt of {SALT_SIZE_BYTES} bytes, got {len(salt)}")
    return salt
