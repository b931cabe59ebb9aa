"""Sign files and raise signatures, for the command: no database, no network but a named TSA."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from dossier.clock import SystemClock
from exchange.errors import FileUnreadable
from exchange.timestamps import remote_authority
from exchange.verify import TrustFiles, given_of
from signing.asic import DataFile, write_container, write_simple_container
from signing.augment import augment_container
from signing.judgement import Level
from signing.keys import Signer, is_encrypted, is_pkcs12_locked, load_pkcs12, load_signer
from signing.policy import Trust
from signing.token import open_token
from signing.tsa import TimestampAuthority, Timestamper
from signing.xades import SignatureRole

ROLES: Final = tuple(role.value for role in SignatureRole)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyFiles:
    """Where a key lies: PKCS#8 PEM with its certificates, or one PKCS#12 file alone."""

    key: Path
    certificates: Path | None
    pin: bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TsaAddress:
    """Where a time-stamp authority answers (RFC 3161 over HTTP)."""

    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenKey:
    """A key on a PKCS#11 token."""

    module: Path  # the vendor's library
    token: str  # label
    key: str  # label
    certificates: Path | None  # where the token holds none, or not the chain
    pin: bytes


def sign_paths(
    paths: Sequence[Path],
    target: Path,
    *,
    key: KeyFiles | TokenKey,
    tsa: KeyFiles | TsaAddress | None,
    role: str,
) -> int:
    """Write an ASiC-E of the files, signed with the key; return its size in bytes.

    Level B-T with a time-stamp authority, B-B without. Raises `PinRefused`, `KeyUnusable`,
    `TokenUnusable`, `FileUnreadable`.
    """
    with signing_with(key) as signer, _written(target) as out:
        write_container(
            out,
            _data_files(paths),
            signer=signer,
            timestamper=timestamper_of(tsa),
            at=SystemClock().now(),
            role=SignatureRole(role),
        )
    return target.stat().st_size


def sign_path_simply(
    path: Path,
    target: Path,
    *,
    key: KeyFiles | TokenKey,
    tsa: KeyFiles | TsaAddress | None,
    role: str,
) -> int:
    """Write an ASiC-S of one file, as `sign_paths` does an ASiC-E."""
    with signing_with(key) as signer, _written(target) as out:
        write_simple_container(
            out,
            _data_files([path])[0],
            signer=signer,
            timestamper=timestamper_of(tsa),
            at=SystemClock().now(),
            role=SignatureRole(role),
        )
    return target.stat().st_size


def _data_files(paths: Sequence[Path]) -> list[DataFile]:
    return [
        DataFile(
            name=path.name,
            media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            content=path,
        )
        for path in paths
    ]


@contextmanager
def _written(target: Path) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of `target` once everything went well."""
    temporary = target.with_name(target.name + ".new")
    try:
        with temporary.open("wb") as out:
            yield out
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def augment_path(
    path: Path,
    *,
    to: str,
    tsa: KeyFiles | TsaAddress,
    trusted: TrustFiles,
) -> int:
    """Raise the signatures of a container in place; return its new size in bytes.

    Raises the judgement's error where a signature does not pass: nothing is written then.
    """
    given = given_of(trusted)
    trust = Trust(
        anchors=tuple(given.anchors),
        certificates=tuple(given.certificates),
        crls=tuple(given.crls),
        ocsps=tuple(given.ocsps),
        fingerprints=given.fingerprints,
    )
    raised = augment_container(
        path.read_bytes(),
        to=Level(f"B-{to}"),
        trust=trust,
        timestamper=chosen_timestamper(tsa),
        at=SystemClock().now(),
    )
    with _written(path) as out:
        out.write(raised)
    return len(raised)


@contextmanager
def signing_with(key: KeyFiles | TokenKey) -> Iterator[Signer]:
    """Yield the signer of key files or of a token, which is closed behind it."""
    if isinstance(key, KeyFiles):
        yield signer_of(key)
        return
    certificates = _read(key.certificates) if key.certificates else None
    with open_token(
        key.module, token=key.token, key=key.key, pin=key.pin, certificates=certificates
    ) as signer:
        yield signer


def signer_of(key: KeyFiles) -> Signer:
    """Return the signer of key files; raise `FileUnreadable`, `PinRefused`, `KeyUnusable`."""
    content = _read(key.key)
    if key.certificates is None:
        return load_pkcs12(content, password=key.pin)
    return load_signer(content, certificates=_read(key.certificates), password=key.pin)


def needs_pin(key: Path, *, certificates: Path | None) -> bool:
    """Return whether a key file opens with a PIN or password only; raise `FileUnreadable`."""
    content = _read(key)
    return is_pkcs12_locked(content) if certificates is None else is_encrypted(content)


def timestamper_of(tsa: KeyFiles | TsaAddress | None) -> Timestamper | None:
    """Return the time-stamper of an authority, None without one."""
    return None if tsa is None else chosen_timestamper(tsa)


def chosen_timestamper(tsa: KeyFiles | TsaAddress) -> Timestamper:
    """Return the time-stamper of an authority's key files, or at its address."""
    if isinstance(tsa, TsaAddress):
        return remote_authority(tsa.url)
    return TimestampAuthority(signer_of(tsa)).timestamper(SystemClock().now)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise FileUnreadable(f"expected a readable file: {exc.strerror}", name=path.name) from exc
