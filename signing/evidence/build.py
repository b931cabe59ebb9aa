"""Make the evidence bundle of a dossier: one ASiC-E, everything sealed by the exporting agency.

The bundle is a pure function of its parts, the signer and the time-stamp: files stand in the order
of their names, and nothing is compressed, so that no byte is free.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dossier.envelope import Assurance
from dossier.ids import AgencyCode
from dossier.xmltext import truncated
from signing.asic import DataFile, seal_container
from signing.evidence import layout
from signing.evidence.errors import BundleRefused
from signing.keys import Signer
from signing.log import VerifierKey
from signing.tsa import Timestamper


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleDocument:
    """One document of the dossier, its original bytes."""

    # As shown and as it travels, NFC, without a folder; need not be unique.
    name: str
    media_type: str
    content: bytes | Path


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleMessage:
    """One message as it travelled, and the receiver's receipt for it."""

    container: bytes | Path
    # None while the receiver has not answered; the verdict will name the gap.
    receipt: bytes | None
    assurance: Assurance


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleEvent:
    """One line of the history: `Opening.dump()`, and its proof file once it is in the log."""

    opening: bytes
    proof: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleTrust:
    """What an auditor needs years later, when nobody answers any more."""

    # The signed directory snapshot.
    directory: bytes
    # Issuing authorities, time-stamp authorities; DER.
    certificates: Sequence[bytes]
    # Issued after the last seal; DER.
    crls: Sequence[bytes]
    ocsps: Sequence[bytes] = ()
    # Of the logs that the proofs lead to: one for each epoch.
    log_keys: Sequence[VerifierKey] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleParts:
    """Everything that goes into the bundle of one dossier."""

    dossier: str
    # The exporting agency; the signer's seal must be bound to it by the directory.
    agency: AgencyCode
    documents: Sequence[BundleDocument]
    # In the order in which they were sent or received.
    messages: Sequence[BundleMessage]
    # All of them, by their sequence from 1.
    events: Sequence[BundleEvent]
    trust: BundleTrust


def build_bundle(
    parts: BundleParts, *, signer: Signer, timestamper: Timestamper, at: datetime
) -> bytes:
    """Return the sealed bundle of `parts`.

    Raises `BundleRefused` for parts that do not make one, `FileNameRefused` for a document's
    name, and what the time-stamper raises (`Unavailable`).
    """
    logged = [event.proof is not None for event in parts.events]
    if any(logged) and not all(logged):
        raise BundleRefused(
            "expected a log proof for every event or for none, got some",
            part=layout.proof_name(logged.index(False) + 1),
        )
    index = layout.Index(
        dossier=parts.dossier,
        agency=parts.agency,
        exported=truncated(at),
        messages=tuple(
            layout.IndexedMessage(
                assurance=message.assurance, has_receipt=message.receipt is not None
            )
            for message in parts.messages
        ),
        events=len(parts.events),
        is_logged=any(logged),
    )
    files = [
        DataFile(name=layout.INDEX, media_type=layout.JSON_TYPE, content=index.dump()),
        *_documents(parts.documents),
        *_messages(parts.messages),
        *_history(parts.events),
        *_trust(parts.trust),
    ]
    files.sort(key=lambda file: file.name)
    strays = [file.name for file in files if not layout.belongs(file.name)]
    if strays:
        raise BundleRefused("expected names of a bundle, got another", part=strays[0])
    return seal_container(files, signer=signer, timestamper=timestamper, at=at)


def _documents(documents: Sequence[BundleDocument]) -> list[DataFile]:
    """Return the documents; of several with one name the later ones carry a number."""
    files: list[DataFile] = []
    taken: set[str] = set()
    for document in documents:
        name = document.name
        stem, dot, suffix = name.rpartition(".")
        number = 1
        while (folded := unicodedata.normalize("NFC", name).casefold()) in taken:
            number += 1
            name = f"{stem} ({number}){dot}{suffix}" if stem else f"{document.name} ({number})"
        taken.add(folded)
        files.append(
            DataFile(
                name=layout.DOCUMENTS + name,
                media_type=document.media_type,
                content=document.content,
            )
        )
    return files


def _messages(messages: Sequence[BundleMessage]) -> list[DataFile]:
    files: list[DataFile] = []
    for number, message in enumerate(messages, start=1):
        files.append(
            DataFile(
                name=layout.container_name(number),
                media_type=layout.CONTAINER_TYPE,
                content=message.container,
            )
        )
        if message.receipt is not None:
            files.append(
                DataFile(
                    name=layout.receipt_name(number),
                    media_type=layout.XML_TYPE,
                    content=message.receipt,
                )
            )
    return files


def _history(events: Sequence[BundleEvent]) -> list[DataFile]:
    files: list[DataFile] = []
    for number, event in enumerate(events, start=1):
        name = layout.event_name(number)
        files.append(DataFile(name=name, media_type=layout.JSON_TYPE, content=event.opening))
        if event.proof is not None:
            name = layout.proof_name(number)
            files.append(DataFile(name=name, media_type=layout.TEXT_TYPE, content=event.proof))
    return files


def _trust(trust: BundleTrust) -> list[DataFile]:
    files = [DataFile(name=layout.DIRECTORY, media_type=layout.XML_TYPE, content=trust.directory)]
    for suffix, media_type, contents in (
        ("cer", layout.CERTIFICATE_TYPE, trust.certificates),
        ("crl", layout.CRL_TYPE, trust.crls),
        ("ocsp", layout.OCSP_TYPE, trust.ocsps),
    ):
        files += [
            DataFile(
                name=f"{layout.TRUST}{number}.{suffix}", media_type=media_type, content=content
            )
            for number, content in enumerate(contents, start=1)
        ]
    if trust.log_keys:
        keys = "".join(f"{key}\n" for key in trust.log_keys).encode()
        files.append(DataFile(name=layout.LOG_KEY, media_type=layout.TEXT_TYPE, content=keys))
    return files
