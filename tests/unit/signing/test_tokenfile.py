"""Time-stamps that stand alone, and signatures of other tools as an auditor holds them."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dossier.report import Integrity, Report, Subject
from signing import der
from signing.cms import parse_cms
from signing.errors import TimestampMalformed
from signing.evidence import TrustGiven, files_wanted, judge_file
from signing.evidence.judgement import BundleJudgement
from signing.indication import Indication, SubIndication
from signing.pki import Subject as Name
from signing.pki import certificates_pem, issue_leaf, new_key, public_key_of
from signing.policy import Trust, fingerprint
from signing.purpose import Purpose
from signing.report import report_of
from signing.timestamp import parse_token
from signing.tsa import TimestampAuthority, token_of_response
from signing.unsigned import Values
from tests.builders.cms import rebuilt
from tests.builders.foreign import EXCLUSIVE, reference, signed, template
from tests.builders.signing import LONG, NOW, pki

LETTER = b"%PDF letter"
LATER = NOW + timedelta(hours=1)
_CONFIGURATION = """[ tsa ]
default_tsa = own
[ own ]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha1
"""


def given() -> TrustGiven:
    return TrustGiven(
        anchors=(pki().root.certificate,),
        certificates=(pki().issuing.certificate,),
        crls=pki().crls(),
    )


def judged(content: bytes, name: str, **files: bytes) -> BundleJudgement:
    return judge_file(content, name=name, given=given(), at=LATER, files=files)


def reported(judgement: BundleJudgement) -> Report:
    return report_of(judgement, name="file", given=given(), at=LATER)


def codes(judgement: BundleJudgement) -> set[str]:
    reasons = list(judgement.verdict.reasons)
    for one in judgement.signatures:
        reasons += one.verdict.reasons
    return {one.code for one in reasons}


def token(content: bytes = LETTER) -> bytes:
    authority = TimestampAuthority(pki().signers[Purpose.TSA])
    return authority.stamp(hashlib.sha256(content).digest(), at=NOW)


def test_attribute_certificates_in_a_token_are_passed_over() -> None:
    data = parse_cms(token())
    more = (*data.certificates, der.tlv(0xA2, der.sequence()))
    content = rebuilt(data, certificates=more)

    assert judged(content, "letter.pdf.tsr", **{"letter.pdf": LETTER}).verdict.is_passed
    with pytest.raises(TimestampMalformed):
        parse_token(content)


def test_token_over_its_file_passes_and_names_both() -> None:
    found = judged(token(), "letter.pdf.tsr", **{"letter.pdf": LETTER})

    assert (found.subject, found.indication) == (Subject.TIMESTAMP, Indication.TOTAL_PASSED)
    signature = reported(found).signatures[0]
    assert signature.best_time == NOW
    assert signature.covers == ("letter.pdf",)
    assert signature.integrity is Integrity.INTACT
    assert reported(found).files[0].covered_by == ("letter.pdf.tsr",)


def test_response_of_openssl_with_the_older_certificate_attribute_passes(tmp_path: Path) -> None:
    key = new_key()
    certificate = issue_leaf(
        pki().issuing,
        public_key=public_key_of(key),
        purpose=Purpose.TSA,
        subject=Name(common_name="Dấu thời gian cũ"),
        validity=LONG,
        serial=701,
    )
    (tmp_path / "own.cnf").write_text(_CONFIGURATION)
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "certificate.pem").write_bytes(certificates_pem(certificate))
    (tmp_path / "letter.pdf").write_bytes(LETTER)
    query = "openssl ts -query -data letter.pdf -sha256 -cert -out query.tsq"
    reply = (
        "openssl ts -reply -config own.cnf -queryfile query.tsq -inkey key.pem "
        "-signer certificate.pem -out reply.tsr"
    )
    for line in (query, reply):
        subprocess.run(line.split(), cwd=tmp_path, check=True, capture_output=True)
    response = (tmp_path / "reply.tsr").read_bytes()
    stamped = parse_token(token_of_response(response)).time

    current = pki().crls(at=stamped, next_update=stamped + timedelta(days=7))

    found = judge_file(
        response,
        name="letter.tsr",
        given=replace(given(), crls=current),
        at=stamped,
        files={"letter": LETTER},
    )

    assert found.indication is Indication.TOTAL_PASSED, codes(found)
    assert reported(found).signatures[0].signer == "Dấu thời gian cũ"


def test_token_without_its_file_is_indeterminate() -> None:
    found = judged(token(), "letter.pdf.tsr")

    assert found.sub_indication is SubIndication.SIGNED_DATA_NOT_FOUND
    assert "stamped_file_missing" in codes(found)


def test_token_over_another_file_fails() -> None:
    found = judged(token(), "letter.pdf.tsr", **{"letter.pdf": b"other"})

    assert found.sub_indication is SubIndication.HASH_FAILURE
    assert reported(found).files[0].covered_by == ()


def test_damaged_token_fails_without_an_exception() -> None:
    whole = token()
    for position in range(0, len(whole), 7):
        spoiled = bytearray(whole)
        spoiled[position] ^= 0x55
        found = judged(bytes(spoiled), "letter.pdf.tsr", **{"letter.pdf": LETTER})
        assert found.indication is not Indication.TOTAL_PASSED, position


def test_token_wants_the_file_that_it_is_named_after() -> None:
    assert files_wanted(token(), name="letter.pdf.tsr") == ("letter.pdf",)
    assert files_wanted(token(), name="letter.bin") == ()
    assert files_wanted(b"<x/>", name="x.xml") == ()


def test_detached_signature_covers_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(LETTER)
    content = signed(template(reference("letter.pdf")), tmp_path)
    assert files_wanted(content, name="signature.xml") == ("letter.pdf",)

    report = reported(judged(content, "signature.xml", **{"letter.pdf": LETTER}))

    assert report.is_passed
    assert report.signatures[0].covers == ("letter.pdf",)
    assert [(one.name, one.covered_by) for one in report.files] == [
        ("letter.pdf", ("signature.xml",))
    ]


def test_missing_detached_file_is_indeterminate(tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(LETTER)
    content = signed(template(reference("letter.pdf")), tmp_path)

    assert judged(content, "s.xml").sub_indication is SubIndication.SIGNED_DATA_NOT_FOUND


def test_part_of_a_document_stands_for_the_document_in_the_report(tmp_path: Path) -> None:
    objects = '<ds:Object Id="o"><a xmlns="urn:a">Hòa Bình</a></ds:Object>'
    text = template(reference("#o", EXCLUSIVE), form=EXCLUSIVE, objects=objects)

    report = reported(judged(signed(text, tmp_path), "signed.xml"))

    assert report.is_passed
    assert report.signatures[0].covers == ("signed.xml",)
    assert report.files[0].covered_by == ("signed.xml",)


def container(tmp_path: Path, name: str) -> bytes:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(LETTER)
    document = signed(template(reference(name)), tmp_path)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.etsi.asic-e+zip")
        archive.writestr(name, LETTER)
        archive.writestr("META-INF/signatures0.xml", document)
    return out.getvalue()


def test_container_of_another_tool_is_a_container_whatever_its_folders(tmp_path: Path) -> None:
    for name in ("letter.pdf", "messages/letter.pdf"):
        found = judged(container(tmp_path, name), "file.asice")

        assert found.subject is Subject.CONTAINER
        assert found.indication is Indication.TOTAL_PASSED, codes(found)


def test_anchor_named_by_its_fingerprint_may_come_with_the_signature(tmp_path: Path) -> None:
    root = pki().root.certificate
    named = Trust(anchors=(), fingerprints=frozenset({fingerprint(root)}))
    brought = Values(certificates=(root, pki().issuing.certificate))

    assert named.extended(brought).anchors == (root,)
    assert Trust(anchors=()).extended(brought).anchors == ()


def test_anchor_that_nobody_has_is_said_to_be_missing(tmp_path: Path) -> None:
    nobody = replace(given(), anchors=(), fingerprints=frozenset({"0" * 64}))
    content = container(tmp_path, "letter.pdf")

    found = judge_file(content, name="file.asice", given=nobody, at=LATER)

    assert found.indication is Indication.INDETERMINATE
    assert "anchor_not_found" in codes(found)
