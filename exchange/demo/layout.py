"""Lay out the demo's folders: PKI, keys, trust, the signed directory, one home for each node.

Everything secret is written 0600 in folders 0700. A home that stands already is left alone.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dossier import xmltext
from dossier.directory import (
    Channel,
    Directory,
    DirectoryAgency,
    SealCertificate,
    write_directory,
)
from dossier.envelope import Assurance
from exchange.demo.fixture import DemoAgency, DemoNode, Fixture
from signing import pki
from signing.enveloped import sign_xml
from signing.keys import Signer, load_signer, read_certificates
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority

_YEARS: Final = timedelta(days=365)
_CRL_LIFETIME: Final = timedelta(days=7)
_PIN_DIGITS: Final = 6
_NAME_OCTETS: Final = 64  # X.520: ub-common-name, ub-organization-name


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """Where the demo's files lie."""

    root: Path

    @property
    def pki(self) -> Path:
        """Keys of the demo's CA and of the directory authority."""
        return self.root / "pki"

    @property
    def evidence(self) -> Path:
        """Exported evidence and the trust anchor."""
        return self.root / "evidence"

    @property
    def logins(self) -> Path:
        """Names, passwords and PINs of the demo's people (JSON, 0600)."""
        return self.root / "logins.json"

    def node(self, name: str) -> Path:
        """Return the home of one node."""
        return self.root / "nodes" / name


def is_laid_out(home: Home) -> bool:
    """Tell whether the demo stands here already."""
    return home.logins.exists()


def lay_out(home: Home, *, fixture: Fixture, ports: Mapping[str, int], at: datetime) -> None:
    """Write everything the two nodes need before their first start."""
    start = at.replace(microsecond=0) - timedelta(hours=1)
    authority = _Authority(start=start)
    _write(home.pki / "root.key.pem", authority.root.key)
    _write(home.pki / "root.crt.pem", pki.certificates_pem(authority.root.certificate))
    _write(home.pki / "issuing.key.pem", authority.issuing.key)
    _write(home.pki / "issuing.crt.pem", pki.certificates_pem(authority.issuing.certificate))
    anchor = pki.certificates_pem(authority.root.certificate)
    _write(home.evidence / "anchor.pem", anchor)
    seals = {
        str(agency.code): _lay_out_key(
            authority,
            home.node(agency.node) / "keys" / "seals" / agency.code,
            purpose=Purpose.SEAL,
            subject=pki.Subject(
                common_name=_short(agency.name["vi"]), organization=_short(agency.name["vi"])
            ),
        )
        for agency in fixture.agencies
    }
    for node in fixture.nodes:
        _lay_out_node(authority, home.node(node.name), node=node, port=ports[node.name])
        _write(home.node(node.name) / "trust" / "anchor.pem", anchor)
        _write(
            home.node(node.name) / "trust" / "certificates.pem",
            pki.certificates_pem(authority.issuing.certificate),
        )
    logins = _lay_out_people(authority, home, fixture=fixture)
    renew_crls(home, nodes=[node.name for node in fixture.nodes], at=at)
    _lay_out_directory(authority, home, fixture=fixture, seals=seals, ports=ports, at=at)
    index = "".join(f"{serial}\n" for serial in authority.serials).encode()
    for node in fixture.nodes:
        _write(home.node(node.name) / "keys" / "ocsp.index", index)
    _write(home.logins, json.dumps(logins, ensure_ascii=False, indent=2).encode())


def renew_crls(home: Home, *, nodes: list[str], at: datetime) -> None:
    """Issue fresh CRLs of the demo's two CAs and put them into every node's trust folder."""
    for name in ("root", "issuing"):
        key = (home.pki / f"{name}.key.pem").read_bytes()
        pem = (home.pki / f"{name}.crt.pem").read_bytes()
        crl = pki.issue_crl(
            pki.Issuer(certificate=read_certificates(pem)[0], key=key),
            number=int(at.timestamp()),
            at=at,
            next_update=at + _CRL_LIFETIME,
        )
        for node in nodes:
            _write(home.node(node) / "trust" / "crl" / f"{name}.crl", crl)


def anchor_sha256(home: Home) -> str:
    """Return the fingerprint of the demo's root certificate."""
    der = read_certificates((home.evidence / "anchor.pem").read_bytes())[0]
    return hashlib.sha256(der).hexdigest()


class _Authority:
    """The demo's CA while the layout is made: a root, one issuing CA, serial numbers."""

    def __init__(self, *, start: datetime) -> None:
        self.serials: list[int] = []
        self.validity = pki.Validity(start=start, end=start + 5 * _YEARS)
        long = pki.Validity(start=start, end=start + 10 * _YEARS)
        root_key, issuing_key = pki.new_key(), pki.new_key()
        root = pki.issue_root(
            root_key,
            subject=pki.Subject(common_name="Liên Thông Demo Root CA", organization="Demo"),
            validity=long,
            serial=_serial(),
            for_tests=True,
        )
        self.root = pki.Issuer(certificate=root, key=root_key)
        issuing = pki.issue_authority(
            self.root,
            public_key=pki.public_key_of(issuing_key),
            subject=pki.Subject(common_name="Liên Thông Demo Issuing CA", organization="Demo"),
            validity=long,
            serial=_serial(),
        )
        self.issuing = pki.Issuer(certificate=issuing, key=issuing_key)

    def leaf(self, public_key: bytes, *, purpose: Purpose, subject: pki.Subject) -> bytes:
        serial = _serial()
        self.serials.append(serial)
        return pki.issue_leaf(
            self.issuing,
            public_key=public_key,
            purpose=purpose,
            subject=subject,
            validity=self.validity,
            serial=serial,
        )


def _lay_out_key(
    authority: _Authority,
    stem: Path,
    *,
    purpose: Purpose,
    subject: pki.Subject,
    pin: bytes | None = None,
) -> bytes:
    key = pki.new_key(pin=pin)
    leaf = authority.leaf(pki.public_key_of(key, pin=pin), purpose=purpose, subject=subject)
    _write(stem.with_name(stem.name + ".key.pem"), key)
    _write(
        stem.with_name(stem.name + ".crt.pem"),
        pki.certificates_pem(leaf, authority.issuing.certificate),
    )
    return leaf


def _lay_out_node(authority: _Authority, folder: Path, *, node: DemoNode, port: int) -> None:
    _lay_out_key(
        authority,
        folder / "keys" / "tsa",
        purpose=Purpose.TSA,
        subject=pki.Subject(common_name=f"TSA {node.title['vi']}", organization="Demo"),
    )
    _lay_out_key(
        authority,
        folder / "keys" / "ocsp",
        purpose=Purpose.OCSP,
        subject=pki.Subject(common_name=f"OCSP {node.title['vi']}", organization="Demo"),
    )
    lines = (
        f"LIENTHONG_PORT={port}",
        f"LIENTHONG_PUBLIC_URL=http://127.0.0.1:{port}",
        "LIENTHONG_ALLOWED_HOSTS=127.0.0.1,localhost",
    )
    _write(folder / "node.env", ("\n".join(lines) + "\n").encode())


def _lay_out_people(
    authority: _Authority, home: Home, *, fixture: Fixture
) -> dict[str, dict[str, dict[str, str]]]:
    logins: dict[str, dict[str, dict[str, str]]] = {}
    for person in fixture.people:
        login = {"name": person.name, "password": secrets.token_urlsafe(9)}
        if person.signs:
            login["pin"] = "".join(secrets.choice("0123456789") for _ in range(_PIN_DIGITS))
            _lay_out_key(
                authority,
                home.node(person.node) / "keys" / "persons" / person.username,
                purpose=Purpose.PERSON,
                subject=pki.Subject(common_name=_short(person.name)),
                pin=login["pin"].encode(),
            )
        logins.setdefault(person.node, {})[person.username] = login
    return logins


def _lay_out_directory(
    authority: _Authority,
    home: Home,
    *,
    fixture: Fixture,
    seals: Mapping[str, bytes],
    ports: Mapping[str, int],
    at: datetime,
) -> None:
    _lay_out_key(
        authority,
        home.pki / "directory",
        purpose=Purpose.DIRECTORY,
        subject=pki.Subject(common_name=fixture.authority, organization="Demo"),
    )
    _lay_out_key(
        authority,
        home.pki / "tsa",
        purpose=Purpose.TSA,
        subject=pki.Subject(common_name="TSA của cơ quan quản lý danh bạ", organization="Demo"),
    )
    start = xmltext.truncated(at) - timedelta(minutes=1)
    directory = Directory(
        number=1,
        authority=fixture.authority,
        valid_from=start,
        valid_until=start + 2 * _YEARS,
        grace_days=30,
        previous_sha256="",
        agencies=tuple(
            _agency(agency, seal=seals[agency.code], port=ports[agency.node], since=authority)
            for agency in fixture.agencies
        ),
        rules=fixture.rules,
    )
    signer = _signer(home.pki / "directory")
    clock = TimestampAuthority(_signer(home.pki / "tsa"))
    signed = sign_xml(
        write_directory(directory),
        signer=signer,
        timestamper=clock.timestamper(lambda: at),
        at=at,
    )
    for node in fixture.nodes:
        _write(home.node(node.name) / "directory.xml", signed)


def _agency(agency: DemoAgency, *, seal: bytes, port: int, since: _Authority) -> DirectoryAgency:
    return DirectoryAgency(
        code=agency.code,
        aliases=agency.aliases,
        name_vi=agency.name["vi"],
        name_en=agency.name["en"],
        kind=agency.kind,
        territory=agency.territory,
        competences=agency.competences,
        valid_from=since.validity.start,
        valid_until=None,
        successor=None,
        endpoint=f"http://127.0.0.1:{port}/soap",
        channels=(Channel(kind="soap", assurance=Assurance.SEALED),),
        seals=(
            SealCertificate(
                certificate=seal,
                valid_from=since.validity.start,
                valid_until=since.validity.end,
            ),
        ),
    )


def _signer(stem: Path) -> Signer:
    return load_signer(
        stem.with_name(stem.name + ".key.pem").read_bytes(),
        certificates=stem.with_name(stem.name + ".crt.pem").read_bytes(),
    )


def _short(name: str) -> str:
    """Return as many words of a name as a certificate takes: 64 octets."""
    words = name.split()
    while len(" ".join(words).encode()) > _NAME_OCTETS:
        words.pop()
    return " ".join(words)


def _serial() -> int:
    return secrets.randbits(127) | 1


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(path.name + ".new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(content)
    temporary.replace(path)
