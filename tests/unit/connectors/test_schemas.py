"""The shipped XSDs accept exactly what the real writers write, seal included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest
from lxml import etree

from connectors.request import Operation, Request, parse_request, write_request
from dossier import safexml
from dossier.directory import (
    AccessRule,
    Channel,
    Directory,
    DirectoryAgency,
    SealCertificate,
    parse_directory,
    write_directory,
)
from dossier.envelope import (
    Assurance,
    Contract,
    Envelope,
    FileKind,
    InReplyTo,
    ManifestEntry,
    Urgency,
    parse_envelope,
    write_envelope,
)
from dossier.ids import ConversationId, Sha256
from dossier.receipt import Outcome, Receipt, parse_receipt, write_receipt
from tests.builders.connectors import BINH_DINH, HOA_BINH, message_id

_AT = datetime(2022, 4, 20, 2, 0, 0, 123_000, tzinfo=UTC)
_DIGEST = Sha256("0123456789abcdef" * 4)
_SEAL = b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Any/></ds:Signature>'

_SMALL_ENVELOPE = Envelope(
    message_id=message_id(),
    from_agency=HOA_BINH,
    to_agency=BINH_DINH,
    conversation_id=ConversationId("6f9619ff-8b86-4011-b42d-00c04fc964ff"),
    dossier_code="000.00.00.H28-220420-0001",
    contract=Contract(procedure="p8_official_letter", version="1.0", sha256=_DIGEST),
    message_type="study_request",
    subject="",
    urgency=Urgency.NORMAL,
    issued=_AT,
    expires=_AT + timedelta(days=7),
    assurance=Assurance.SEALED,
    manifest=(),
)
_FULL_ENVELOPE = replace(
    _SMALL_ENVELOPE,
    subject="Đề nghị học tập kinh nghiệm <“A & B”>",
    document_number="15/UBND-NC",
    in_reply_to=InReplyTo(message_id=message_id(2), container_sha256=_DIGEST),
    supersedes=message_id(3),
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    manifest=tuple(
        ManifestEntry(
            name=("META-INF/" if kind is FileKind.SIGNATURE else "") + f"công văn {kind.value}",
            media_type="application/pdf",
            size_bytes=1,
            sha256=_DIGEST,
            kind=kind,
            document_kind="official_letter" if kind is FileKind.DOCUMENT else "",
        )
        for kind in FileKind
    ),
)
_RECEIPT = Receipt(
    outcome=Outcome.ACCEPTED,
    code="accepted",
    message_id=message_id(),
    from_agency=HOA_BINH,
    to_agency=BINH_DINH,
    container_sha256=_DIGEST,
    received=_AT,
    contract_sha256=_DIGEST,
    directory_number=7,
)
_AGENCY = DirectoryAgency(
    code=HOA_BINH,
    aliases=(),
    name_vi="UBND tỉnh Hòa Bình",
    name_en="",
    kind="province",
    territory="17",
    competences=(),
    valid_from=_AT,
    valid_until=None,
    successor=None,
    endpoint="",
    channels=(),
    seals=(),
)
_DIRECTORY = Directory(
    number=1,
    authority="directory",
    valid_from=_AT,
    valid_until=_AT + timedelta(days=90),
    grace_days=14,
    previous_sha256="",
    agencies=(_AGENCY,),
    rules=(),
)
_FULL_DIRECTORY = replace(
    _DIRECTORY,
    number=2,
    previous_sha256=_DIGEST,
    agencies=(
        replace(
            _AGENCY,
            aliases=(BINH_DINH,),
            competences=("p8_official_letter", "tax"),
            valid_until=_AT + timedelta(days=1),
            successor=BINH_DINH,
            endpoint="https://h28.example/soap",
            channels=tuple(Channel(kind="soap", assurance=one) for one in Assurance),
            seals=(
                SealCertificate(
                    certificate=b"DER", valid_from=_AT, valid_until=_AT + timedelta(days=1)
                ),
            ),
        ),
    ),
    rules=(AccessRule(client="*", server=BINH_DINH, procedure="*", message_type="*"),),
)


_REQUEST = Request(
    operation=Operation.FETCH_MESSAGE,
    agency=BINH_DINH,
    to_agency=HOA_BINH,
    created=_AT,
    expires=_AT + timedelta(minutes=5),
    nonce="0123456789abcdef" * 2,
    message_id=message_id(),
    from_agency=HOA_BINH,
)


def _schema(name: str) -> etree.XMLSchema:
    content = resources.files("dossier").joinpath("schemas", f"{name}.xsd").read_bytes()
    return etree.XMLSchema(safexml.parse(content))


def _written() -> Iterator[tuple[str, bytes]]:
    yield "envelope", write_envelope(_SMALL_ENVELOPE)
    for urgency in Urgency:
        for assurance in Assurance:
            varied = replace(_FULL_ENVELOPE, urgency=urgency, assurance=assurance)
            yield "envelope", write_envelope(varied)
    yield "receipt", write_receipt(_RECEIPT)
    refused = replace(_RECEIPT, outcome=Outcome.REFUSED, code="seal_not_bound")
    yield "receipt", write_receipt(refused)
    for operation in Operation:
        yield "request", write_request(replace(_REQUEST, operation=operation))
    yield "request", write_request(replace(_REQUEST, message_id=None, from_agency=None))
    yield "directory", write_directory(_DIRECTORY)
    yield "directory", write_directory(_FULL_DIRECTORY)


_PARSE: Mapping[str, Callable[[bytes], object]] = {
    "envelope": parse_envelope,
    "receipt": parse_receipt,
    "directory": parse_directory,
    "request": parse_request,
}


@pytest.mark.parametrize(("name", "content"), list(_written()))
def test_what_is_written_is_valid_and_reads_back(name: str, content: bytes) -> None:
    _PARSE[name](content)
    _schema(name).assertValid(safexml.parse(content))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("receipt", write_receipt(_RECEIPT)),
        ("directory", write_directory(_FULL_DIRECTORY)),
        ("request", write_request(_REQUEST)),
    ],
)
def test_sealed_documents_are_valid(name: str, content: bytes) -> None:
    head, end, _ = content.rpartition(b"</")
    sealed = head + _SEAL + content[len(head) :]
    assert end
    _schema(name).assertValid(safexml.parse(sealed))


@pytest.mark.parametrize(
    ("name", "content", "old", "new"),
    [
        ("envelope", write_envelope(_FULL_ENVELOPE), b"<To>", b"<To>!"),
        ("envelope", write_envelope(_FULL_ENVELOPE), b".123Z", b".12Z"),
        ("envelope", write_envelope(_FULL_ENVELOPE), b"<Urgency>normal", b"<Urgency>soon"),
        ("envelope", write_envelope(_FULL_ENVELOPE), b'sha256="0', b'sha256="G'),
        ("request", write_request(_REQUEST), b"<Nonce>0", b"<Nonce>"),
        ("receipt", write_receipt(_RECEIPT), b"<Code>", b"<Code>A"),
        ("receipt", write_receipt(_RECEIPT), b"<DirectoryNumber>7", b"<DirectoryNumber>0"),
        ("directory", write_directory(_FULL_DIRECTORY), b"<Number>2", b"<Number>-2"),
        ("directory", write_directory(_FULL_DIRECTORY), b"<Alias>", b"<Alias/><Alias>"),
    ],
)
def test_broken_values_are_not_valid(name: str, content: bytes, old: bytes, new: bytes) -> None:
    assert old in content
    assert not _schema(name).validate(safexml.parse(content.replace(old, new, 1)))
