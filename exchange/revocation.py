"""Bring CRLs and OCSP responses to where verification looks for them: files, fetched beforehand.

Verification itself calls nobody (decision 12). Only hosts of LIENTHONG_OUTBOUND_HOSTS are asked.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from connectors.errors import PartnerAnswerRefused
from connectors.http import HttpClient, Timeouts, only_hosts
from connectors.revocation import ask_responder, fetch_list
from dossier.errors import LienThongError
from exchange.drained import Drained
from exchange.node import Node
from signing.certificate import parse_certificate
from signing.keys import read_certificates
from signing.ocsp import ocsp_request
from signing.sources import is_list, sources_of
from storage import rounds

EVERY: Final = timedelta(hours=1)
_ROUND: Final = "revocation"
_TIMEOUTS: Final = Timeouts(connect_seconds=5.0, silence_seconds=20.0, reply_seconds=60.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What came of one address."""

    address: str
    file: Path | None  # None: nothing was kept
    is_new: bool
    error: str  # code; empty: went well


def refresh(node: Node) -> Drained:
    """Fetch the node's CRLs if the last round is old enough; what fails keeps its old file."""
    if not rounds.take(_ROUND, every=EVERY, at=node.now()):
        return Drained(done=0, more=False)
    fetched = fetch_lists(
        _trusted(node), into=node.settings.trust_dir / "crl", hosts=node.settings.outbound_hosts
    )
    return Drained(done=sum(1 for one in fetched if one.is_new), more=False)


def fetch_for_node(node: Node) -> list[Fetched]:
    """Fetch the CRLs of the node's trust folder and of the seals in its directory, now."""
    return fetch_lists(
        _trusted(node), into=node.settings.trust_dir / "crl", hosts=node.settings.outbound_hosts
    )


def fetch_for_files(files: Sequence[Path], *, into: Path, hosts: Sequence[str]) -> list[Fetched]:
    """Fetch CRLs and OCSP responses for certificates in files, for `verify --crl` and `--ocsp`.

    A responder is asked where the issuer's certificate is among the files.
    """
    certificates = [der for path in files for der in read_certificates(path.read_bytes())]
    fetched = fetch_lists(certificates, into=into, hosts=hosts)
    http = _http(hosts)
    for certificate in certificates:
        for issuer in _issuers(certificate, certificates):
            for address in sources_of(certificate).responders:
                asked = ocsp_request(certificate, issuer=issuer)
                name = f"{hashlib.sha256(certificate).hexdigest()[:16]}.ocsp"
                fetched.append(_kept_answer(http, address, asked, into / name))
    return fetched


def fetch_lists(
    certificates: Iterable[bytes], *, into: Path, hosts: Sequence[str]
) -> list[Fetched]:
    """Fetch every CRL that the certificates name, each address once."""
    addresses = dict.fromkeys(
        address for certificate in certificates for address in sources_of(certificate).lists
    )
    http = _http(hosts)
    return [_kept_list(http, address, into) for address in addresses]


def _kept_list(http: HttpClient, address: str, into: Path) -> Fetched:
    try:
        content = fetch_list(http, address)
        if not is_list(content):
            raise PartnerAnswerRefused("expected a CRL in DER", status=200)
    except LienThongError as exc:
        return Fetched(address=address, file=None, is_new=False, error=exc.code)
    name = f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.crl"
    return _kept(address, content, into / name)


def _kept_answer(http: HttpClient, address: str, request: bytes, target: Path) -> Fetched:
    try:
        content = ask_responder(http, address, request)
    except LienThongError as exc:
        return Fetched(address=address, file=None, is_new=False, error=exc.code)
    return _kept(address, content, target)


def _kept(address: str, content: bytes, target: Path) -> Fetched:
    """Put a file in place whole; one that says the same is left alone, so nobody reads it anew."""
    if target.exists() and target.read_bytes() == content:
        return Fetched(address=address, file=target, is_new=False, error="")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    temporary.write_bytes(content)
    temporary.replace(target)
    return Fetched(address=address, file=target, is_new=True, error="")


def _trusted(node: Node) -> list[bytes]:
    trust = node.trust()
    seals = [seal.certificate for one in node.directory().agencies for seal in one.seals]
    return [*trust.certificates, *seals]


def _issuers(certificate: bytes, among: Iterable[bytes]) -> list[bytes]:
    wanted = parse_certificate(certificate).issuer_der
    return [
        one for one in among if one != certificate and parse_certificate(one).subject_der == wanted
    ][:1]


def _http(hosts: Sequence[str]) -> HttpClient:
    return HttpClient(may_call=only_hosts(*hosts), timeouts=_TIMEOUTS, takes_plain=True)
