"""Making containers and enveloped documents: what is refused before anything is signed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from signing.asic import DataFile, seal_container, sign_files, signature_name, write_container
from signing.enveloped import sign_xml
from signing.errors import (
    ContainerRefused,
    ContentChanged,
    DocumentNotCanonical,
    FileNameRefused,
    TimestampUnavailable,
    VerificationFailed,
)
from signing.purpose import Purpose
from signing.verify import judge_container, judge_xml, open_xml
from signing.xades import SignatureRole
from tests.builders.signing import NOW, letter, pki

SEAL = pki().signers[Purpose.SEAL]
SEALS = frozenset({Purpose.SEAL})


def container(files: list[DataFile]) -> bytes:
    return seal_container(files, signer=SEAL, timestamper=None, at=NOW)


def test_mimetype_is_where_other_tools_look_for_it() -> None:
    content = container(letter())

    assert content[30:38] == b"mimetype"
    assert content[38:69] == b"application/vnd.etsi.asic-e+zip"


@pytest.mark.parametrize(
    "name", ["mimetype", "META-INF/x.xml", "meta-inf", "../x", "a\\b", "MimeType", "/x", "x."]
)
def test_refuses_names_that_are_taken_or_unsafe(name: str) -> None:
    with pytest.raises(FileNameRefused):
        container([DataFile(name=name, media_type="text/plain", content=b"")])


@pytest.mark.parametrize("media_type", ["", "text", "Text/Plain", 'a/b"', "a/b; c=d"])
def test_refuses_media_types_that_need_escaping(media_type: str) -> None:
    with pytest.raises(ContainerRefused):
        container([DataFile(name="x", media_type=media_type, content=b"")])


def test_refuses_to_seal_nothing() -> None:
    with pytest.raises(ContainerRefused):
        container([])


def test_refuses_signature_documents_out_of_order() -> None:
    approved = sign_files(
        letter(), signer=SEAL, timestamper=None, at=NOW, role=SignatureRole.APPROVED
    )

    with pytest.raises(ContainerRefused):
        seal_container(
            letter(),
            signatures=[(signature_name(2), approved)],
            signer=SEAL,
            timestamper=None,
            at=NOW,
        )


def test_names_with_every_printable_sign_survive() -> None:
    name = "Tờ trình số 5 & 6 (bản “sạch”) + phụ lục #1 100% <a>'\".pdf"
    content = container([DataFile(name=name, media_type="application/pdf", content=b"x")])

    assert judge_container(content, trust=pki().trust(), at=NOW).is_passed


def test_file_changed_while_it_is_written_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")

    class Out(io.BytesIO):
        def write(self, content: object, /) -> int:
            path.write_bytes(b"after!")
            return super().write(content)  # type: ignore[arg-type]  # any buffer

    with pytest.raises(ContentChanged):
        write_container(
            Out(),
            [DataFile(name="x", media_type="text/plain", content=path)],
            signer=SEAL,
            timestamper=None,
            at=NOW,
        )


def test_silent_timestamper_stops_the_seal() -> None:
    class Silent:
        def stamp(self, imprint_sha256: bytes) -> bytes:
            raise TimestampUnavailable("expected a token, got none")

    with pytest.raises(TimestampUnavailable):
        seal_container(letter(), signer=SEAL, timestamper=Silent(), at=NOW)


@pytest.mark.parametrize("answer", [b"", b"junk", pki().timestamper().stamp(bytes(32))])
def test_wrong_answer_of_an_authority_stops_the_seal(answer: bytes) -> None:
    class Wrong:
        def stamp(self, imprint_sha256: bytes) -> bytes:
            return answer

    with pytest.raises(TimestampUnavailable):
        seal_container(letter(), signer=SEAL, timestamper=Wrong(), at=NOW)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<a/>",
        b"<a ></a>",
        b'<?xml version="1.0"?><a></a>',
        b"<a><!-- --></a>",
        b"<a>\r</a>",
        b"<a b='c'></a>",
        b'<a xmlns:p="urn:p"></a>',
        b'<a Id="lienthong-1"></a>',
        b'<a><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"></ds:Signature></a>',
    ],
)
def test_signs_only_xml_in_its_canonical_spelling(document: bytes) -> None:
    with pytest.raises(DocumentNotCanonical):
        sign_xml(document, signer=SEAL, timestamper=None, at=NOW)


def test_returns_the_signed_octets_of_a_document() -> None:
    document = '<r xmlns="urn:r"><x>Hòa Bình &amp; Bình Định</x></r>'.encode()
    signed = sign_xml(document, signer=SEAL, timestamper=pki().timestamper(), at=NOW)

    verified = open_xml(signed, trust=pki().trust(), at=NOW, purposes=SEALS)

    assert verified.content == document
    assert verified.signature.role == "sealed"


def test_document_of_another_purpose_is_not_opened() -> None:
    signed = sign_xml(b"<d></d>", signer=pki().signers[Purpose.DIRECTORY], timestamper=None, at=NOW)

    assert judge_xml(
        signed, trust=pki().trust(), at=NOW, purposes=frozenset({Purpose.DIRECTORY})
    ).is_passed
    assert not judge_xml(signed, trust=pki().trust(), at=NOW, purposes=SEALS).is_passed


def test_unsigned_document_fails() -> None:
    with pytest.raises(VerificationFailed):
        open_xml(b"<r></r>", trust=pki().trust(), at=NOW, purposes=SEALS)
