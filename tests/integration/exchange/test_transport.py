"""How messages travel when the directory says so, and what the doctor finds of a partner."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from dossier.directory import Directory, DirectoryAgency, SealCertificate, XRoadMember
from dossier.ids import AgencyCode
from dossier.model import MessageState
from dossier.texts import Language
from dossier.wire import WireReply, WireRequest
from exchange.examine_partners import examine_partners
from exchange.wiring import build, soap_endpoint
from signing import pki
from signing.keys import read_certificates
from signing.purpose import Purpose
from storage import outbox, transactions
from storage.outbox import Outgoing
from tests.builders.exchange import OneNode
from tests.builders.wire_server import served

HOA_BINH = AgencyCode("000.00.00.H28")
BINH_DINH = AgencyCode("000.00.00.H08")


@dataclass
class Partner:
    """The same node behind HTTP, as a partner sees it."""

    one: OneNode
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    change: Callable[[WireReply], WireReply] = lambda reply: reply

    def __call__(self, request: WireRequest) -> WireReply:
        body = request.stream.read()
        self.bodies.append(body)
        try:
            reply = soap_endpoint(self.one.node)(replace(request, stream=BytesIO(body)))
            return self.change(replace(reply, body=list(reply.body)))
        finally:
            transactions.close()


@pytest.fixture
def partner(one: OneNode) -> Iterator[Partner]:
    found = Partner(one=one)
    with served(found) as address:
        found.url = f"{address}/soap"
        yield found


@pytest.fixture
def away(one: OneNode, partner: Partner, monkeypatch: pytest.MonkeyPatch) -> OneNode:
    """Return a node for which Bình Định is a partner at that address."""
    node = build(one.node.settings, clock=one.clock)
    hosted = node.hosted
    elsewhere = replace(one, node=node)

    def hosted_here(code: str, *, directory: Directory | None = None) -> AgencyCode | None:
        return None if code == BINH_DINH else hosted(code, directory=directory)

    monkeypatch.setattr(node, "hosted", hosted_here)
    say(monkeypatch, one, elsewhere, BINH_DINH, lambda a: replace(a, endpoint=partner.url))
    return elsewhere


def say(
    monkeypatch: pytest.MonkeyPatch,
    one: OneNode,
    other: OneNode,
    code: AgencyCode,
    change: Callable[[DirectoryAgency], DirectoryAgency],
) -> Directory:
    """Let the directory of both nodes say something else of an agency."""
    known = one.node.directory()
    agencies = tuple(change(a) if a.code == code else a for a in known.agencies)
    changed = replace(known, agencies=agencies)
    for node in (one.node, other.node):
        monkeypatch.setattr(node._directory, "directory", lambda: changed)
    return changed


def call_key(one: OneNode, code: AgencyCode, folder: Path) -> SealCertificate:
    """Lay a key for calls into the node's folder and return what the directory binds."""
    issuing = read_certificates((one.home.pki / "issuing.crt.pem").read_bytes())[0]
    start = one.node.now().replace(microsecond=0) - timedelta(hours=1)
    key = pki.new_key()
    leaf = pki.issue_leaf(
        pki.Issuer(certificate=issuing, key=(one.home.pki / "issuing.key.pem").read_bytes()),
        public_key=pki.public_key_of(key),
        purpose=Purpose.REQUEST,
        subject=pki.Subject(common_name=code),
        validity=pki.Validity(start=start, end=start + timedelta(days=30)),
        serial=secrets.randbits(100) | 1,
    )
    folder.mkdir(exist_ok=True)
    (folder / f"{code}.key.pem").write_bytes(key)
    (folder / f"{code}.crt.pem").write_bytes(pki.certificates_pem(leaf, issuing))
    return SealCertificate(
        certificate=leaf, valid_from=start, valid_until=start + timedelta(days=30)
    )


def letter_of(away: OneNode) -> Outgoing:
    return outbox.of_dossier(away.sides(away.send_letter())[HOA_BINH].id)[0]


def test_letter_goes_by_mtom_and_comes_back_with_a_receipt(away: OneNode, partner: Partner) -> None:
    assert letter_of(away).message.state is MessageState.SENT
    assert b"xop:Include" in partner.bodies[-1]


def test_partner_that_demands_it_gets_signed_calls(
    one: OneNode, away: OneNode, partner: Partner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def demand(agency: DirectoryAgency) -> DirectoryAgency:
        return replace(agency, demands_signed_calls=True)

    say(monkeypatch, one, away, BINH_DINH, demand)
    letter = letter_of(away)
    assert letter.message.last_error == "seal_missing"
    bound = call_key(one, HOA_BINH, away.node.settings.keys_dir / "calls")
    away.later(timedelta(minutes=10))
    # The key is there, but the directory does not bind it.
    assert outbox.get(letter.message.id).message.state is MessageState.PARKED or (
        outbox.get(letter.message.id).message.last_error == "partner_refused"
    )
    say(monkeypatch, one, away, HOA_BINH, lambda agency: replace(agency, calls=(bound,)))
    fresh = letter_of(away)
    assert fresh.message.state is MessageState.SENT
    assert b"BinarySecurityToken" in partner.bodies[-1]
    for path in (away.node.settings.keys_dir / "calls").iterdir():
        path.unlink()


def test_unsigned_calls_to_an_agency_that_demands_signatures_are_refused(
    one: OneNode, away: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = say(
        monkeypatch, one, away, BINH_DINH, lambda agency: replace(agency, demands_signed_calls=True)
    )
    # The sender works by an older edition.
    older = replace(
        known,
        agencies=tuple(replace(agency, demands_signed_calls=False) for agency in known.agencies),
    )
    monkeypatch.setattr(away.node._directory, "directory", lambda: older)
    letter = letter_of(away)
    assert letter.message.last_error == "partner_refused"


def test_members_of_x_road_exchange_its_headers(
    one: OneNode, away: OneNode, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in (HOA_BINH, BINH_DINH):
        member = XRoadMember(
            instance="VN", member_class="GOV", member_code=code, subsystem="lienthong"
        )
        say(monkeypatch, one, away, code, partial(replace, x_road=member))
    letter = letter_of(away)
    assert letter.message.state is MessageState.SENT
    sent = partner.bodies[-1]
    assert b"http://x-road.eu/xsd/xroad.xsd" in sent
    assert sent.index(b"memberCode>000.00.00.H28") < sent.index(b"memberCode>000.00.00.H08")
    assert letter.message.message_id.encode() in sent


# --- The doctor --------------------------------------------------------------------------------


def findings(away: OneNode) -> dict[str, bool]:
    found = examine_partners(away.node)
    for one in found:
        for language in Language:
            assert one.say(language)
    return {one.code: one.is_good for one in found}


def test_partner_in_order_passes_every_check(away: OneNode) -> None:
    assert findings(away) == {
        "partner_plain": True,
        "partner_wsdl": True,
        "partner_clock": True,
        "partner_ping": True,
    }


def test_partner_that_is_away_is_named_with_what_to_do(
    one: OneNode, away: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, one, away, BINH_DINH, lambda a: replace(a, endpoint="http://127.0.0.1:9/soap"))
    assert findings(away) == {"partner_away": False}
    say(monkeypatch, one, away, BINH_DINH, lambda a: replace(a, endpoint="https://127.0.0.1:9/"))
    assert findings(away) == {"partner_away": False}


def test_other_versions_and_strangers_are_found(
    away: OneNode, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(reply: WireReply) -> WireReply:
        return replace(reply, body=[b"".join(reply.body).replace(b"SendMessage", b"SendMassage")])

    partner.change = other
    assert findings(away)["partner_wsdl"] is False
    partner.change = lambda reply: reply
    # The partner knows no seal of ours any more.
    known = partner.one.node.directory()
    sealless = tuple(replace(a, seals=()) if a.code == HOA_BINH else a for a in known.agencies)
    monkeypatch.setattr(
        partner.one.node._directory, "directory", lambda: replace(known, agencies=sealless)
    )
    assert findings(away)["partner_ping"] is False
