"""ASiC-S of our profile: one file, one signature, no octet free; raised like an ASiC-E."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from signing import zipfile
from signing.asic import DataFile, write_simple_container
from signing.augment import augment_container
from signing.errors import VerificationFailed
from signing.judgement import Level
from signing.pki import certificates_pem
from signing.purpose import DOCUMENT_PURPOSES, Purpose
from signing.verify import judge_container, judge_own_container, open_container
from tests.builders.signing import NOW, pki

FILE = DataFile(name="công văn.txt", media_type="text/plain", content=b"noi dung")


@pytest.fixture(scope="module")
def simple() -> bytes:
    out = io.BytesIO()
    write_simple_container(
        out, FILE, signer=pki().signers[Purpose.SEAL], timestamper=pki().timestamper(), at=NOW
    )
    return out.getvalue()


def test_simple_container_passes_and_is_what_others_look_for(simple: bytes) -> None:
    judgement = judge_container(simple, trust=pki().trust(), at=NOW)

    assert judgement.is_passed, judgement
    assert judgement.signatures[0].level is Level.B_T
    assert judgement.files[0].covered_by == ("META-INF/signatures.xml",)
    names = [one.name for one in zipfile.read(simple).entries]
    assert names == ["mimetype", FILE.name, "META-INF/signatures.xml"]
    assert simple[38:69] == b"application/vnd.etsi.asic-s+zip"


def test_simple_container_is_raised_to_lta(simple: bytes) -> None:
    raised = augment_container(
        simple, to=Level.B_LTA, trust=pki().trust(), timestamper=pki().timestamper(), at=NOW
    )

    judgement = judge_own_container(raised, trust=pki().trust(), at=NOW, purposes=DOCUMENT_PURPOSES)
    assert judgement.signatures[0].level is Level.B_LTA


def test_no_octet_of_a_simple_container_is_free(simple: bytes) -> None:
    trust = pki().trust()
    for position in range(len(simple)):
        changed = bytearray(simple)
        changed[position] ^= 0x04
        assert not judge_container(bytes(changed), trust=trust, at=NOW).is_passed, position


@pytest.mark.parametrize("more", [("b.txt", b""), ("META-INF/manifest.xml", b"<m/>")])
def test_further_entries_do_not_pass(simple: bytes, more: tuple[str, bytes]) -> None:
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(simple).entries]

    for changed in ([*entries, more], [*entries[:2], more, *entries[2:]]):
        content = zipfile.write(changed)
        assert not judge_container(content, trust=pki().trust(), at=NOW).is_passed


def test_no_message_is_opened_from_a_simple_container(simple: bytes) -> None:
    with pytest.raises(VerificationFailed):
        open_container(simple, trust=pki().trust(), at=NOW)


def test_xmlsec_verifies_the_signature_of_a_simple_container(simple: bytes, tmp_path: Path) -> None:
    for entry in zipfile.read(simple).entries:
        path = tmp_path / entry.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(entry.content)
    (tmp_path / "root.pem").write_bytes(certificates_pem(pki().root.certificate))
    (tmp_path / "ca.pem").write_bytes(certificates_pem(pki().issuing.certificate))

    result = subprocess.run(
        [
            "xmlsec1", "--verify", "--id-attr:Id", "SignedProperties",
            "--verification-time", NOW.strftime("%Y-%m-%d %H:%M:%S"), "--trusted-pem", "root.pem",
            "--untrusted-pem", "ca.pem", "META-INF/signatures.xml",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert result.returncode == 0, result.stderr
