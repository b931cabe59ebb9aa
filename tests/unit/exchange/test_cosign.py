"""Further signatures on a container, signing with a key that is elsewhere, evidence records."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from dossier.clock import SystemClock
from dossier.report import Answer
from exchange.cosign import complete, prepare, sign_again
from exchange.errors import FileUnreadable
from exchange.records import make_records, renew
from exchange.signfiles import KeyFiles, sign_paths
from exchange.verify import judge_given
from signing.errors import ContainerRefused, ExternalSignatureRefused, FileNameRefused, ZipRefused
from signing.evidence import TrustGiven
from signing.judgement import Judgement
from signing.keys import load_private_key
from signing.pki import (
    Issuer,
    Subject,
    Validity,
    certificates_pem,
    issue_crl,
    issue_leaf,
    issue_root,
    new_key,
    public_key_of,
)
from signing.policy import Trust
from signing.purpose import Purpose
from signing.verify import judge_container
from tests.builders.signing import LONG, sealed

NOW = SystemClock().now()
PERIOD = Validity(start=LONG.start, end=NOW.replace(year=NOW.year + 2))


class Authority:
    """A root of today that issues keys as files."""

    def __init__(self, folder: Path) -> None:
        key = new_key()
        certificate = issue_root(key, subject=Subject(common_name="Gốc"), validity=PERIOD, serial=1)
        self.root = Issuer(certificate=certificate, key=key)
        self.folder = folder
        self.serial = 1

    def key(self, purpose: Purpose) -> KeyFiles:
        self.serial += 1
        key = new_key()
        certificate = issue_leaf(
            self.root,
            public_key=public_key_of(key),
            purpose=purpose,
            subject=Subject(common_name=f"Khóa {self.serial}"),
            validity=PERIOD,
            serial=self.serial,
        )
        path = self.folder / f"{self.serial}.pem"
        path.write_bytes(key)
        chain = self.folder / f"{self.serial}.crt"
        chain.write_bytes(certificates_pem(certificate, self.root.certificate))
        return KeyFiles(key=path, certificates=chain, pin=None)

    def given(self) -> TrustGiven:
        at = SystemClock().now()
        crl = issue_crl(self.root, number=1, at=at, next_update=at.replace(year=at.year + 1))
        return TrustGiven(anchors=(self.root.certificate,), crls=(crl,))

    def judged(self, container: Path) -> Judgement:
        given = self.given()
        trust = Trust(anchors=tuple(given.anchors), crls=tuple(given.crls))
        return judge_container(container, trust=trust, at=SystemClock().now())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def letters(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("Công văn.pdf", "phụ lục.txt")]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def signed_outside(key: KeyFiles, digest: bytes) -> bytes:
    """Sign a digest as a remote service does: DER."""
    private = load_private_key(key.key.read_bytes())
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def test_several_signers_one_after_the_other(
    tmp_path: Path, authority: Authority, letters: list[Path]
) -> None:
    target, tsa = tmp_path / "out.asice", authority.key(Purpose.TSA)
    sign_paths(letters, target, key=authority.key(Purpose.PERSON), tsa=tsa, role="authored")
    for role in ("approved", "sealed"):
        sign_again(target, target, key=authority.key(Purpose.PERSON), tsa=tsa, role=role)

    judgement = authority.judged(target)

    assert judgement.is_passed, judgement
    assert [one.role for one in judgement.signatures] == ["authored", "approved", "sealed"]
    assert {len(one.covered_by) for one in judgement.files} == {3}


@pytest.mark.parametrize("spelling", ["der", "base64"])
def test_the_digest_goes_out_and_the_value_comes_back(
    tmp_path: Path, authority: Authority, letters: list[Path], spelling: str
) -> None:
    key, state, target = authority.key(Purpose.PERSON), tmp_path / "state", tmp_path / "o.asice"
    assert key.certificates is not None
    asked = prepare(letters, state, certificate=key.certificates, role="approved")
    value = signed_outside(key, asked.digest)
    value = value if spelling == "der" else base64.encodebytes(value)

    complete(letters, target, state=state, signature=value, tsa=authority.key(Purpose.TSA))

    judgement = authority.judged(target)
    assert judgement.is_passed, judgement
    assert judgement.signatures[0].commitments == ("ProofOfApproval",)


def test_a_key_elsewhere_adds_its_signature_to_a_container(
    tmp_path: Path, authority: Authority, letters: list[Path]
) -> None:
    target = tmp_path / "out.asice"
    sign_paths(letters, target, key=authority.key(Purpose.PERSON), tsa=None, role="authored")
    key, state = authority.key(Purpose.PERSON), tmp_path / "state"
    assert key.certificates is not None
    asked = prepare([target], state, certificate=key.certificates, role="approved")

    complete([target], target, state=state, signature=signed_outside(key, asked.digest), tsa=None)

    assert authority.judged(target).is_passed
    assert len(authority.judged(target).signatures) == 2


def test_a_value_of_another_key_or_another_file_is_refused(
    tmp_path: Path, authority: Authority, letters: list[Path]
) -> None:
    key, state, target = authority.key(Purpose.PERSON), tmp_path / "state", tmp_path / "o.asice"
    assert key.certificates is not None
    asked = prepare(letters, state, certificate=key.certificates, role="approved")
    other = signed_outside(authority.key(Purpose.PERSON), asked.digest)
    with pytest.raises(ExternalSignatureRefused):
        complete(letters, target, state=state, signature=other, tsa=None)
    assert not target.exists()

    letters[0].write_bytes(b"changed meanwhile")
    complete(letters, target, state=state, signature=signed_outside(key, asked.digest), tsa=None)

    assert not authority.judged(target).is_passed


def test_only_containers_of_our_profile_take_a_signature(
    tmp_path: Path, authority: Authority
) -> None:
    for number, content in enumerate((b"no zip", sealed() + b"\x00")):
        path = tmp_path / f"{number}.asice"
        path.write_bytes(content)
        with pytest.raises((ContainerRefused, ZipRefused, FileNameRefused)):
            sign_again(path, path, key=authority.key(Purpose.PERSON), tsa=None, role="sealed")
        assert path.read_bytes() == content


@pytest.mark.parametrize("is_xml", [False, True])
def test_one_time_stamp_over_many_files_and_a_record_for_each(
    authority: Authority, letters: list[Path], is_xml: bool
) -> None:
    tsa = authority.key(Purpose.TSA)
    records = make_records(letters, tsa=tsa, is_xml=is_xml)
    renew(records, tsa=tsa)
    given = authority.given()

    reports = [judge_given(path, given=given) for path in records]

    assert [one.indication for one in reports] == [Answer.PASSED] * 2
    assert [one.signatures[0].covers for one in reports] == [(one.name,) for one in letters]
    assert {len(one.signatures[0].timestamps) for one in reports} == {2}
    with pytest.raises(FileUnreadable):
        make_records(letters, tsa=tsa, is_xml=is_xml)
    letters[0].write_bytes(b"changed")
    assert judge_given(records[0], given=given).indication is Answer.FAILED
    letters[0].unlink()
    assert judge_given(records[0], given=given).indication is Answer.INDETERMINATE
