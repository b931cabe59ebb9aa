"""National portals are told of dossiers: older and newer flow, dry run, failure, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.demo_portal import DemoPortal
from connectors.demo_portal_rest import DemoRestPortal
from dossier.wire import WireReply, WireRequest
from exchange.errors import DossierUnknown
from exchange.national import sync
from exchange.national.configuration import read_destinations
from exchange.national.errors import DestinationUnknown, PortalConfigurationRefused
from storage import incidents
from tests.builders.exchange import OneNode
from tests.builders.wire_server import served

_COMMON = """
[[destination]]
name = "national"
flow = "{flow}"
address = "{address}"
agency = "H08"
agencies = ["000.31.01.H08"]
{account} = "h08"
{secret} = "portal.secret"

[destination.codes]
owner_kinds = {{ person = "1" }}
channels = {{ desk = "1" }}
return_forms = {{ desk = "0" }}

[destination.values]
owner_kind = "=person"
phone = "=0900000000"
channel = "=desk"
return_form = "=desk"

[destination.procedures.household-business]
code = "1.001612"
name = "Đăng ký thành lập hộ kinh doanh"
field_code = "G05-TC02"
field_name = "Hộ kinh doanh"
"""


def _configure(one: OneNode, address: str, *, flow: str) -> None:
    names = {"older": ("username", "password_file"), "newer": ("client_id", "secret_file")}[flow]
    path = one.node.settings.national_portal
    (path.parent / "portal.secret").write_text("secret\n", "utf-8")
    text = _COMMON.format(flow=flow, address=address, account=names[0], secret=names[1])
    path.write_text(text, "utf-8")


@pytest.fixture(autouse=True)
def forgotten(one: OneNode) -> Iterator[None]:
    yield
    one.node.settings.national_portal.unlink(missing_ok=True)


def test_the_older_portal_follows_a_dossier(one: OneNode) -> None:
    portal = DemoPortal(username="h08", password="secret", agency="H08")
    code = one.start_business()
    with served(portal) as address:
        _configure(one, address, flow="older")
        (destination,) = sync.destinations(one.node)
        (change,) = sync.preview(one.node, destination)
        named = {line.name: line.after for line in change.differences}
        assert (named["MaHoSo"], named["MaTTHC"]) == (code, "1.001612")
        assert portal.dossiers == {}  # a dry run tells nobody
        assert sync.make_rounds(one.node).done == 1
        assert portal.dossiers[code]["TrangThaiHoSo"] == "4"
        told = len(portal.steps)
        assert told > 0
        assert sync.make_rounds(one.node).done == 0  # not due, and nothing is new
        assert sync.tell_all(one.node, destination) == 0
        one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101567890"})
        one.finish_business(code)
        one.clock.forward(timedelta(minutes=2))
        assert sync.make_rounds(one.node).done == 1
        assert portal.dossiers[code]["TrangThaiHoSo"] in ("9", "10")
        assert len(portal.steps) > told
        assert len({str(step) for step in portal.steps}) == len(portal.steps)
        assert sync.queue_states(one.node)[0].waiting == 0


def test_the_newer_portal_is_told_once_and_then_kept_up_to_date(one: OneNode) -> None:
    portal = DemoRestPortal(client_id="h08", client_secret="secret")
    code = one.start_business()
    with served(portal) as address:
        _configure(one, address, flow="newer")
        assert sync.make_rounds(one.node).done == 1
        one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101567890"})
        one.finish_business(code)
        one.clock.forward(timedelta(minutes=2))
        assert sync.make_rounds(one.node).done == 1
    (kept,) = portal.dossiers.values()
    assert kept["MaHoSo"] == code
    assert kept["TrangThai"] in (9, 10)


def test_a_portal_that_is_away_is_tried_again_then_an_incident(one: OneNode) -> None:
    code = one.start_business()
    _configure(one, "http://127.0.0.1:9", flow="older")
    (destination,) = sync.destinations(one.node)
    for _ in range(one.node.settings.delivery_attempts):
        assert sync.tell_all(one.node, destination) == 0
        assert sync.tell_all(one.node, destination) == 0  # waits for its backoff
        one.clock.forward(timedelta(hours=2))
    assert [one.code for one in incidents.open_incidents()] == ["portal_not_told"]
    assert sync.queue_states(one.node)[0].failing == ((code, "partner_unavailable"),)
    portal = DemoPortal(username="h08", password="secret", agency="H08")
    with served(portal) as address:
        _configure(one, address, flow="older")
        (destination,) = sync.destinations(one.node)
        held = sync.dossier_of(one.node, destination, code)
        assert sync.tell_all(one.node, destination, only=held) == 1
    assert sync.queue_states(one.node)[0].failing == ()


def test_a_portal_that_is_away_is_asked_once_a_round_and_holds_up_no_other(one: OneNode) -> None:
    code, other = one.start_business(), one.start_business()
    portal = DemoPortal(username="h08", password="secret", agency="H08")
    with served(portal) as address:
        _configure(one, "http://127.0.0.1:9", flow="older")
        path = one.node.settings.national_portal
        second = _COMMON.format(
            flow="older", address=address, account="username", secret="password_file"
        ).replace('name = "national"', 'name = "province"')
        path.write_text(path.read_text("utf-8") + second, "utf-8")
        assert sync.make_rounds(one.node).done == 2
        assert set(portal.dossiers) == {code, other}
        away, province = sync.queue_states(one.node)
        assert len(away.failing) == 1  # the second dossier was not tried in vain
        assert (province.waiting, province.failing) == (0, ())
        both = sync.chosen(one.node, "", code)
        assert [destination.name for destination, _ in both] == ["national", "province"]
    with pytest.raises(DossierUnknown):
        sync.chosen(one.node, "", "H08-000000-0000")


@pytest.mark.parametrize("flow", ["older", "newer"])
def test_a_portal_that_lets_nobody_in_is_asked_once_a_round(one: OneNode, flow: str) -> None:
    one.start_business()
    one.start_business()
    calls = []

    def shut(request: WireRequest) -> WireReply:
        calls.append(request.path)
        body = b'{"error_code": "02"}'
        return WireReply(status=200, headers={"Content-Length": str(len(body))}, body=(body,))

    with served(shut) as address:
        _configure(one, address, flow=flow)
        assert sync.make_rounds(one.node).done == 0
    assert len(calls) == 1
    assert len(sync.queue_states(one.node)[0].failing) == 1


def test_an_unknown_destination_is_named(one: OneNode) -> None:
    with pytest.raises(DestinationUnknown):
        sync.destinations(one.node, "ministry")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("x = 1", "the file: x"),
        ("[[destination]]\nname = 'a'\nflow = 'oldest'", "destination.flow"),
        ("[[destination]]\nname = 'a'\nflow = 'older'\nport = 1", "destination: port"),
        ("[[destination", "national-portal.toml"),
    ],
)
def test_a_wrong_configuration_names_the_key(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "national-portal.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(PortalConfigurationRefused) as refused:
        read_destinations(path)
    assert refused.value.parameters["name"] == named
