"""The receipt: one answer for yes and no, sealed by the receiving agency (protocol §5).

This module writes and reads the bytes that the seal covers; `docs/formats/receipt.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from dossier import safexml, xmltext
from dossier.errors import IdentifierRefused, ReceiptRefused
from dossier.ids import (
    AgencyCode,
    MessageId,
    Sha256,
    parse_agency_code,
    parse_message_id,
    parse_name,
    parse_sha256,
)

NAMESPACE: Final = "urn:lienthong:receipt:1"
_CAPS: Final = safexml.Caps(size_bytes=64 * 1024, depth=4, elements=32)


class Outcome(Enum):
    """What became of the message at the receiver."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What the receiver states about one container."""

    outcome: Outcome
    code: str  # `accepted`, or the code of the check that refused
    message_id: MessageId
    from_agency: AgencyCode  # of the message, not of the receipt
    to_agency: AgencyCode  # whose seal the receipt carries
    container_sha256: Sha256
    received: datetime  # UTC, milliseconds
    contract_sha256: Sha256
    directory_number: int  # by which the sender was judged


def write_receipt(receipt: Receipt) -> bytes:
    """Return the one spelling of `receipt`, not yet sealed."""
    t = xmltext.text
    return xmltext.root(
        "Receipt",
        NAMESPACE,
        (
            t("Outcome", receipt.outcome.value),
            t("Code", receipt.code),
            t("MessageId", receipt.message_id),
            t("From", receipt.from_agency),
            t("To", receipt.to_agency),
            t("ContainerSha256", receipt.container_sha256),
            t("Received", xmltext.instant(receipt.received)),
            t("ContractSha256", receipt.contract_sha256),
            t("DirectoryNumber", str(receipt.directory_number)),
        ),
    )


def parse_receipt(content: bytes) -> Receipt:
    """Return the receipt of its one spelling, the seal already verified and taken off.

    Raises `ReceiptRefused` or `XmlRefused`.
    """
    top = safexml.parse(content, caps=_CAPS)
    reader = xmltext.Reader(top, namespace=NAMESPACE, refused=ReceiptRefused)
    if top.tag != f"{{{NAMESPACE}}}Receipt":
        raise reader.refuse("expected root Receipt")
    try:
        receipt = Receipt(
            outcome=Outcome(reader.text("Outcome")),
            code=parse_name(reader.text("Code")),
            message_id=parse_message_id(reader.text("MessageId")),
            from_agency=parse_agency_code(reader.text("From")),
            to_agency=parse_agency_code(reader.text("To")),
            container_sha256=parse_sha256(reader.text("ContainerSha256")),
            received=xmltext.parse_instant(reader.text("Received")),
            contract_sha256=parse_sha256(reader.text("ContractSha256")),
            directory_number=int(reader.text("DirectoryNumber")),
        )
    except (IdentifierRefused, ValueError) as exc:
        raise ReceiptRefused(f"expected a well-formed value: {exc}") from exc
    reader.end()
    if (receipt.outcome is Outcome.ACCEPTED) != (receipt.code == Outcome.ACCEPTED.value):
        raise ReceiptRefused("expected the code to agree with the outcome")
    if write_receipt(receipt) != content:
        raise ReceiptRefused("expected the canonical spelling of the receipt")
    return receipt
