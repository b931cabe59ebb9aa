"""Signing with a PKCS#11 token: the real thing, on softhsm2."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lienthong.sign import sign
from signing.algorithms import SignatureAlgorithm
from signing.asic import write_container
from signing.errors import KeyUnusable, PinRefused, TokenUnusable
from signing.keys import read_certificates
from signing.pki import Subject, certificates_pem, issue_leaf, new_key, public_key_of
from signing.purpose import Purpose
from signing.token import open_token
from signing.verify import judge_container
from signing.xades import SignatureRole
from tests.builders.signing import NOW, SHORT, letter, pki

MODULE = next(
    path
    for path in map(
        Path,
        (
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
            "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        ),
    )
    if path.exists()
)
PIN = b"482613"


@dataclass(frozen=True, kw_only=True)
class Token:
    """A software token with two keys, "ec" and "rsa", and the certificate of the first."""

    ec: bytes  # certificates, PEM
    rsa: bytes


def certificate(public_key: bytes, serial: int) -> bytes:
    return issue_leaf(
        pki().issuing,
        public_key=public_key,
        purpose=Purpose.PERSON,
        subject=Subject(common_name="Chủ thiết bị"),
        validity=SHORT,
        serial=serial,
    )


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    pin = PIN.decode()
    tool("--init-token", "--free", "--label", "văn thư", "--pin", pin, "--so-pin", "11223344")
    curve = new_key()
    modulus = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    keys = {
        "ec": curve,
        "rsa": modulus.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for number, (name, content) in enumerate(keys.items(), start=1):
        path = tmp_path / f"{name}.pem"
        path.write_bytes(content)
        imported = ("--import", str(path), "--token", "văn thư", "--pin", pin)
        tool(*imported, "--label", name, "--id", f"0{number}")
    public = modulus.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    yield Token(
        ec=certificates_pem(certificate(public_key_of(curve), 801), pki().issuing.certificate),
        rsa=certificates_pem(certificate(public, 802), pki().issuing.certificate),
    )


def tool(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [("ec", SignatureAlgorithm.ECDSA_SHA256), ("rsa", SignatureAlgorithm.RSA_PSS_SHA256)],
)
def test_container_signed_by_a_token_passes(
    token: Token, key: str, algorithm: SignatureAlgorithm
) -> None:
    out = io.BytesIO()
    chain = token.ec if key == "ec" else token.rsa
    with open_token(MODULE, token="văn thư", key=key, pin=PIN, certificates=chain) as signer:
        assert signer.algorithm is algorithm
        write_container(
            out,
            letter(),
            signer=signer,
            timestamper=None,
            at=NOW,
            role=SignatureRole.APPROVED,
        )

    assert judge_container(out.getvalue(), trust=pki().trust(), at=NOW).is_passed


def test_command_signs_with_a_token(token: Token, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_bytes(token.ec)
    (tmp_path / "pin").write_bytes(PIN + b"\n")
    (tmp_path / "letter.txt").write_text("Kính gửi")
    given = ["--pkcs11", str(MODULE), "--token", "văn thư", "--key-label", "ec"]
    given += ["--cert", f"{tmp_path}/chain.pem", "--pin-file", f"{tmp_path}/pin"]

    result = CliRunner().invoke(sign, [*given, "-o", f"{tmp_path}/o", f"{tmp_path}/letter.txt"])

    assert result.exit_code == 0, result.output
    assert (tmp_path / "o").read_bytes().startswith(b"PK")
    alone = CliRunner().invoke(sign, ["-o", f"{tmp_path}/o", f"{tmp_path}/letter.txt"])
    assert alone.exit_code == 2


def test_wrong_pin_is_said_to_be_wrong(token: Token) -> None:
    with pytest.raises(PinRefused):
        open_token(MODULE, token="văn thư", key="ec", pin=b"000000", certificates=token.ec)


@pytest.mark.parametrize(
    ("label", "key", "reason"), [("other", "ec", "token"), ("văn thư", "other", "key")]
)
def test_missing_token_or_key_is_named(token: Token, label: str, key: str, reason: str) -> None:
    with pytest.raises(TokenUnusable) as caught:
        open_token(MODULE, token=label, key=key, pin=PIN, certificates=token.ec)

    assert caught.value.parameters["reason"] == reason


def test_token_without_a_certificate_wants_one(token: Token) -> None:
    with pytest.raises(TokenUnusable) as caught:
        open_token(MODULE, token="văn thư", key="ec", pin=PIN)

    assert caught.value.parameters["reason"] == "certificate"


def test_certificate_on_the_token_is_taken(token: Token, tmp_path: Path) -> None:
    leaf = read_certificates(token.ec)[0]
    put_certificate(leaf)

    with open_token(MODULE, token="văn thư", key="ec", pin=PIN) as signer:
        assert signer.certificate == leaf
        assert signer.sign(b"message")


def put_certificate(leaf: bytes) -> None:
    """Store a certificate beside the key, as an issuing office does."""
    script = (
        "import sys, pkcs11\n"
        "from pkcs11 import Attribute, CertificateType, ObjectClass\n"
        "token = pkcs11.lib(sys.argv[1]).get_token(token_label=sys.argv[2])\n"
        "with token.open(user_pin=sys.argv[3], rw=True) as session:\n"
        "    session.create_object({Attribute.CLASS: ObjectClass.CERTIFICATE,\n"
        "        Attribute.CERTIFICATE_TYPE: CertificateType.X_509, Attribute.TOKEN: True,\n"
        "        Attribute.ID: b'\\x01', Attribute.SUBJECT: b'0\\x00',\n"
        "        Attribute.VALUE: sys.stdin.buffer.read()})\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(MODULE), "văn thư", PIN.decode()],
        input=leaf,
        check=True,
        capture_output=True,
    )


def test_key_of_another_certificate_is_found_out(token: Token) -> None:
    other = certificates_pem(certificate(public_key_of(new_key()), 803))

    with (
        open_token(MODULE, token="văn thư", key="ec", pin=PIN, certificates=other) as signer,
        pytest.raises(KeyUnusable),
    ):
        signer.sign(b"message")


def test_module_that_is_none_takes_only_its_child_with_it(tmp_path: Path) -> None:
    broken = tmp_path / "module.so"
    broken.write_bytes(b"no library")

    with pytest.raises(TokenUnusable):
        open_token(broken, token="t", key="k", pin=PIN)
