"""Where everything stands in an evidence bundle, and the index that says what must be there.

docs/formats/evidence-bundle.md. The index is signed like every other file: it names the dossier,
the exporting agency, and for each message its receipt and how it was proved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dossier import canonical
from dossier.canonical import Json
from dossier.envelope import Assurance
from dossier.errors import CanonicalRefused, IdentifierRefused
from dossier.ids import AgencyCode, parse_agency_code
from dossier.xmltext import instant, parse_instant
from signing.evidence.errors import BundleIndexRefused
from signing.xades import MAX_REFERENCES

DOCUMENTS: Final = "documents/"
MESSAGES: Final = "messages/"
RECEIPTS: Final = "receipts/"
HISTORY: Final = "history/"
TRUST: Final = "trust/"
META_INF: Final = "META-INF/"
FOLDERS: Final = (DOCUMENTS, MESSAGES, RECEIPTS, HISTORY, TRUST)

INDEX: Final = "history/index.json"
DIRECTORY: Final = "trust/directory.xml"
LOG_KEY: Final = "trust/log.vkey"
# Between the path of a container in the bundle and a path inside that container.
NESTED: Final = "!"

CONTAINER_TYPE: Final = "application/vnd.etsi.asic-e+zip"
XML_TYPE: Final = "application/xml"
JSON_TYPE: Final = "application/json"
TEXT_TYPE: Final = "text/plain"
CRL_TYPE: Final = "application/pkix-crl"
CERTIFICATE_TYPE: Final = "application/pkix-cert"
OCSP_TYPE: Final = "application/ocsp-response"

_VERSION: Final = 1
_PATTERNS: Final = (
    re.compile(r"documents/.+"),
    re.compile(r"messages/[1-9][0-9]{0,5}\.asice"),
    re.compile(r"receipts/[1-9][0-9]{0,5}\.xml"),
    re.compile(r"history/(?:index|[0-9]{6})\.json"),
    re.compile(r"history/[0-9]{6}\.tlog-proof"),
    re.compile(r"trust/(?:directory\.xml|log\.vkey)"),
    re.compile(r"trust/[1-9][0-9]{0,5}\.(?:crl|cer|ocsp)"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedMessage:
    """One message of the dossier as the exporting agency holds it."""

    # How it was proved when it was received or sent (protocol §10).
    assurance: Assurance
    # Whether the bundle holds the receiver's receipt for it.
    has_receipt: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """What the exporting agency states about the bundle as a whole."""

    # Code of the dossier.
    dossier: str
    # The exporting agency, whose seal the bundle carries.
    agency: AgencyCode
    # UTC, milliseconds.
    exported: datetime
    # The containers messages/1.asice, messages/2.asice … in this order.
    messages: tuple[IndexedMessage, ...]
    # How many entries of history there are: history/000001.json and on.
    events: int
    # Whether the entries were logged, so that each must have its proof.
    is_logged: bool

    def dump(self) -> bytes:
        """Return the index as canonical JSON."""
        return canonical.dump(
            {
                "agency": self.agency,
                "dossier": self.dossier,
                "events": self.events,
                "exported": instant(self.exported),
                "logged": self.is_logged,
                "messages": [
                    {"assurance": one.assurance.value, "receipt": one.has_receipt}
                    for one in self.messages
                ],
                "v": _VERSION,
            }
        )


def container_name(number: int) -> str:
    """Return the path of the container of message `number`, from 1."""
    return f"{MESSAGES}{number}.asice"


def receipt_name(number: int) -> str:
    """Return the path of the receipt for message `number`, from 1."""
    return f"{RECEIPTS}{number}.xml"


def event_name(number: int) -> str:
    """Return the path of the opening of the history's entry `number`, from 1."""
    return f"{HISTORY}{number:06d}.json"


def proof_name(number: int) -> str:
    """Return the path of the log proof of the history's entry `number`, from 1."""
    return f"{HISTORY}{number:06d}.tlog-proof"


def inside(container: str, name: str) -> str:
    """Return the path from the top of a file in a container; an empty `container` is the top."""
    return f"{container}{NESTED}{name}" if container else name


def belongs(name: str) -> bool:
    """Tell whether a data file of this name may stand in a bundle."""
    return any(pattern.fullmatch(name) for pattern in _PATTERNS)


def expected_names(index: Index) -> frozenset[str]:
    """Return the names that the index demands; documents/ and trust/ are free in number."""
    numbered = list(enumerate(index.messages, start=1))
    events = range(1, index.events + 1)
    return frozenset(
        [INDEX]
        + [container_name(number) for number, _ in numbered]
        + [receipt_name(number) for number, one in numbered if one.has_receipt]
        + [event_name(number) for number in events]
    )


def allowed_names(index: Index) -> frozenset[str]:
    """Return the names that the index allows outside documents/ and trust/."""
    proofs = range(1, index.events + 1) if index.is_logged else ()
    return expected_names(index) | {proof_name(number) for number in proofs}


def parse_index(content: bytes) -> Index:
    """Return the index in `content`; raise `BundleIndexRefused` unless it prints back."""
    try:
        value = canonical.parse(content)
        index = _read(value)
    except (CanonicalRefused, IdentifierRefused, ValueError) as exc:
        raise BundleIndexRefused(f"expected the index of a bundle: {exc}") from exc
    if index.dump() != content:
        raise BundleIndexRefused("expected the one spelling of an index, got another")
    return index


def _read(value: Json) -> Index:
    names = {"agency", "dossier", "events", "exported", "logged", "messages", "v"}
    if not isinstance(value, Mapping) or set(value) != names or value["v"] != _VERSION:
        raise BundleIndexRefused(f"expected an index of version {_VERSION}, got something else")
    events, logged = value["events"], value["logged"]
    if not isinstance(events, int) or isinstance(events, bool) or not 0 <= events <= MAX_REFERENCES:
        raise BundleIndexRefused("expected a number of events, got something else")
    if not isinstance(logged, bool):
        raise BundleIndexRefused("expected whether the events were logged, got another type")
    return Index(
        dossier=_text(value["dossier"]),
        agency=parse_agency_code(_text(value["agency"])),
        exported=parse_instant(_text(value["exported"])),
        messages=_messages(value["messages"]),
        events=events,
        is_logged=logged,
    )


def _messages(value: Json) -> tuple[IndexedMessage, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MAX_REFERENCES:
        raise BundleIndexRefused("expected a list of messages, got something else")
    found: list[IndexedMessage] = []
    for one in value:
        if not isinstance(one, Mapping) or set(one) != {"assurance", "receipt"}:
            raise BundleIndexRefused("expected assurance and receipt of a message, got others")
        receipt = one["receipt"]
        if not isinstance(receipt, bool):
            raise BundleIndexRefused("expected whether a message has a receipt, got another type")
        assurance = Assurance(_text(one["assurance"]))
        found.append(IndexedMessage(assurance=assurance, has_receipt=receipt))
    return tuple(found)


def _text(value: Json) -> str:
    if not isinstance(value, str) or not value:
        raise BundleIndexRefused("expected text, got another type or nothing")
    return value
