"""Rotate an agency's seal: make the next key, then put it in place once the directory binds it.

The old seal stays bound in the directory until its end, so what it sealed is still received; the
old key is kept aside, never deleted.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dossier.directory import Directory
from dossier.ids import AgencyCode
from exchange.edition_errors import RotationUnknown, SealNotInDirectory
from exchange.settings import Settings
from signing import pki
from signing.certificate import parse_certificate
from signing.keys import load_signer, read_certificates
from storage import agencies


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotated:
    """A seal that was put in place."""

    new_sha256: str
    new_until: datetime
    old_until: datetime | None  # how long the directory goes on binding the one before


def prepare(here: Settings, code: AgencyCode) -> Path:
    """Make the next key and its request for a certificate; return the request's path."""
    folder = _next_folder(here)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key_path, request = folder / f"{code}.key.pem", folder / f"{code}.csr.pem"
    if not key_path.exists():
        _write(key_path, pki.new_key())
    known = agencies.find_hosted(code)
    name = known.name_vi if known else str(code)
    subject = pki.Subject(common_name=name, organization=name)
    _write(request, pki.signing_request(key_path.read_bytes(), subject=subject))
    return request


def install(
    here: Settings, code: AgencyCode, *, certificates: bytes, directory: Directory, at: datetime
) -> Rotated:
    """Put the next seal in place of the present one.

    Raises `RotationUnknown`, `KeyUnusable` for a certificate of another key, `SealNotInDirectory`.
    """
    key_path = _next_folder(here) / f"{code}.key.pem"
    if not key_path.exists():
        raise RotationUnknown("expected a key that was made before", agency=code)
    key = key_path.read_bytes()
    signer = load_signer(key, certificates=certificates)
    owner = directory.seal_owner(signer.certificate, at=at)
    if owner is None or not owner.is_named(code):
        raise SealNotInDirectory("expected a seal that the directory binds", agency=code)
    seals = here.keys_dir / "seals"
    old_until = _put_aside(seals, code, directory, at=at)
    _write(seals / f"{code}.crt.pem", certificates)
    _write(seals / f"{code}.key.pem", key)
    key_path.unlink()
    (_next_folder(here) / f"{code}.csr.pem").unlink(missing_ok=True)
    new = next(one for one in owner.seals if one.certificate == signer.certificate)
    return Rotated(new_sha256=new.sha256, new_until=new.valid_until, old_until=old_until)


def _put_aside(
    seals: Path, code: AgencyCode, directory: Directory, *, at: datetime
) -> datetime | None:
    present = seals / f"{code}.crt.pem"
    if not present.exists():
        return None
    old = read_certificates(present.read_bytes())[0]
    folder = seals / "old"
    folder.mkdir(exist_ok=True, mode=0o700)
    serial = parse_certificate(old).x509.serial_number
    for kind in ("crt", "key"):
        content = (seals / f"{code}.{kind}.pem").read_bytes()
        _write(folder / f"{code}.{serial:x}.{kind}.pem", content)
    bound = [one for agency in directory.agencies for one in agency.seals]
    ends = [one.valid_until for one in bound if one.certificate == old and at < one.valid_until]
    return max(ends, default=None)


def _next_folder(here: Settings) -> Path:
    return here.keys_dir / "seals" / "next"


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    temporary.replace(path)
