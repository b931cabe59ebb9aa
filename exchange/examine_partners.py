"""Examine the partners: TLS, certificates, clocks, version of the service, and a sealed ping.

The ping is a `GetStatus` under our seal about a message that never was: the partner's answer
proves that it knows our seal by the same directory, and it changes nothing there.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from connectors.connections import Tls
from connectors.errors import PartnerRefused, PartnerUnavailable
from connectors.http import HttpClient, Timeouts
from connectors.probe import Trouble, look_at_service, look_at_tls
from connectors.pull_client import Post, PullClient
from dossier.directory import DirectoryAgency
from dossier.errors import LienThongError
from dossier.ids import AgencyCode, parse_message_id
from exchange.finding import Finding, finding
from exchange.node import Node
from signing.certificate import parse_certificate
from signing.enveloped import sign_xml

_SKEW: Final = timedelta(seconds=60)
_SOON: Final = timedelta(days=30)
_TIMEOUTS: Final = Timeouts(connect_seconds=5.0, silence_seconds=20.0, reply_seconds=30.0)

# What ends the examination of a partner: further findings would only repeat it.
_NO_CONNECTION_BY: Final = {
    Trouble.UNREACHABLE: "partner_away",
    Trouble.EXPIRED: "partner_tls_expired",
    Trouble.NAME: "partner_tls_name",
    Trouble.UNTRUSTED: "partner_tls_untrusted",
    Trouble.HANDSHAKE: "partner_tls",
}
_NO_CONNECTION: Final = frozenset({*_NO_CONNECTION_BY.values(), "partner_service"})


class _Sealer:
    """Seals requests with an agency's own seal."""

    def __init__(self, node: Node, agency: AgencyCode) -> None:
        self._node = node
        self._agency = agency

    def seal(self, unsigned: bytes) -> bytes:
        """Return the sealed request."""
        return sign_xml(
            unsigned,
            signer=self._node.seal(self._agency),
            timestamper=self._node.timestamper,
            at=self._node.now(),
        )


def examine_partners(node: Node) -> list[Finding]:
    """Return what was found of each agency that has an address and is not ours."""
    now = node.now()
    found: list[Finding] = []
    for agency in node.directory().agencies:
        in_office = agency.valid_until is None or now < agency.valid_until
        if agency.endpoint and in_office and node.hosted(agency.code) is None:
            found += _examine(node, agency, at=now)
    return found


def _examine(node: Node, agency: DirectoryAgency, *, at: datetime) -> list[Finding]:
    here = node.settings
    tls = Tls(authorities=here.tls_authorities, certificate=here.tls_certificate, key=here.tls_key)
    http = HttpClient(may_call=lambda host, port: True, tls=tls, timeouts=_TIMEOUTS)
    try:
        found = _tls(agency, tls, at=at)
        if _connected(found):
            found += _service(agency, http, at=at)
        if _connected(found):
            found.append(_ping(node, agency, http))
    finally:
        http.close()
    return found


def _connected(found: list[Finding]) -> bool:
    return not any(one.code in _NO_CONNECTION and not one.is_good for one in found)


def _tls(agency: DirectoryAgency, tls: Tls, *, at: datetime) -> list[Finding]:
    try:
        seen = look_at_tls(agency.endpoint, tls)
    except PartnerUnavailable as exc:
        code = _NO_CONNECTION_BY[Trouble(str(exc.parameters["trouble"]))]
        host, reason = (str(exc.parameters[name]) for name in ("host", "reason"))
        return [finding(code, False, agency=agency.code, host=host, reason=reason)]
    if seen is None:
        return [finding("partner_plain", True, agency=agency.code)]
    until = parse_certificate(seen.certificate).not_after
    days = (until - at).days
    bound = {one.certificate for one in agency.calls if one.valid_from <= at < one.valid_until}
    found = [finding("partner_tls", True, agency=agency.code, version=seen.version)]
    found.append(finding("partner_certificate", until > at + _SOON, agency=agency.code, days=days))
    if bound:
        is_bound = seen.certificate in bound
        found.append(finding("partner_certificate_bound", is_bound, agency=agency.code))
    return found


def _service(agency: DirectoryAgency, http: HttpClient, *, at: datetime) -> list[Finding]:
    try:
        seen = look_at_service(agency.endpoint, http)
    except LienThongError as exc:
        return [finding("partner_service", False, agency=agency.code, reason=exc.message)]
    found = [finding("partner_wsdl", seen.is_our_version, agency=agency.code)]
    if seen.clock is not None:
        skew = abs(seen.clock - at)
        seconds = int(skew.total_seconds())
        found.append(finding("partner_clock", skew <= _SKEW, agency=agency.code, seconds=seconds))
    return found


def _ping(node: Node, agency: DirectoryAgency, http: HttpClient) -> Finding:
    ours = next((one for one in node.hosted_agencies() if node.hosted(one)), None)
    if ours is None:
        return finding("partner_ping", False, agency=agency.code, error="seal_missing")
    client = PullClient(
        agency=ours, sealer=_Sealer(node, ours), http=http, spool=node.spool, clock=node.clock
    )
    message_id = parse_message_id(f"{node.epoch}-{uuid.uuid4().hex}-0-{agency.code}")
    try:
        client.status(Post(endpoint=agency.endpoint, node_agency=agency.code), message_id)
    except PartnerRefused as exc:
        code = str(exc.parameters["partner_code"])
        return finding("partner_ping", False, agency=agency.code, error=code)
    except LienThongError as exc:
        code = str(exc.parameters.get("partner_code", exc.code))
        return finding("partner_ping_unanswered", False, agency=agency.code, error=code)
    return finding("partner_ping", True, agency=agency.code)
