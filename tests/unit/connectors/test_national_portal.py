"""The national portal is told what changed, in its own words, as often as need be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.demo_portal import DemoPortal
from connectors.errors import PartnerAnswerRefused, PortalCodeMissing, PortalRefused
from connectors.http import HttpClient, only_hosts
from connectors.national_portal import (
    Difference,
    PortalAccount,
    PortalCodes,
    PortalDossier,
    PortalFee,
    PortalResult,
    PortalSession,
    ProgressStep,
    differences,
    dossier_payload,
    portal_time,
)
from dossier.model import Business
from dossier.wire import WireReply, WireRequest
from tests.builders.wire_server import served

_CODES = PortalCodes(
    owner_kinds={"person": "1", "business": "2"},
    channels={"counter": "1", "online": "2"},
    return_forms={"counter": "0", "post": "1"},
)
_AT = datetime(2022, 4, 20, 2, 0, 0, tzinfo=UTC)
_DOSSIER = PortalDossier(
    code="000.00.12.H08-220420-0001",
    procedure_code="1.001612",
    procedure_name="Đăng ký thành lập hộ kinh doanh",
    field_code="G05-TC02",
    field_name="Thành lập và hoạt động của hộ kinh doanh",
    owner_name="Nguyễn Văn A",
    owner_kind="person",
    phone="0900000000",
    email="",
    subject="Đăng ký hộ kinh doanh",
    received=_AT,
    due=datetime(2022, 4, 25, 10, 0, tzinfo=UTC),
    status=Business.ACCEPTED,
    unit="UBND phường",
    channel="counter",
    return_form="counter",
)
_STEP = ProgressStep(
    officer="Trần Thị B",
    title="Chuyên viên",
    unit="Bộ phận Một cửa",
    at=_AT,
    content="Tiếp nhận hồ sơ",
    status=Business.ACCEPTED,
)


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(username="h08", password="secret", agency="H08")


@pytest.fixture
def session(portal: DemoPortal) -> Iterator[PortalSession]:
    with served(portal) as address:
        yield _session(address)


def _session(address: str, *, password: str = "secret") -> PortalSession:
    account = PortalAccount(address=address, username="h08", password=password, agency="H08")
    return PortalSession(account, http=HttpClient(may_call=only_hosts("127.0.0.1")), codes=_CODES)


def test_first_creates_then_updates_and_may_be_repeated(
    portal: DemoPortal, session: PortalSession
) -> None:
    assert session.synchronise(_DOSSIER, [_STEP]) is False
    assert session.synchronise(_DOSSIER, [_STEP]) is True
    done = replace(_DOSSIER, status=Business.PROCESSED, finished=_AT)
    assert session.synchronise(done, []) is True
    assert portal.dossiers[_DOSSIER.code]["TrangThaiHoSo"] == "9"
    assert len(portal.steps) == 1
    found = session.find(_DOSSIER.code)
    assert found is not None
    assert found["NgayKetThucXuLy"] == "20220420090000"
    assert session.find("unknown") is None
    procedure = session.procedure("1.001612")
    assert procedure is not None
    assert procedure["MATTHC"] == "1.001612"


def test_every_status_axis_value_has_its_number() -> None:
    numbers = [
        dossier_payload(replace(_DOSSIER, status=status), _CODES)["TrangThaiHoSo"]
        for status in Business
    ]
    assert numbers == [str(number) for number in range(1, 11)]


def test_fees_and_results_travel_as_texts(portal: DemoPortal, session: PortalSession) -> None:
    fee = PortalFee(name="Lệ phí", code="LP01", when="1", amount_vnd=100_000, kind="1")
    result = PortalResult(
        name="Giấy chứng nhận", component_code="K1", paper_id="7", url="https://x"
    )
    session.synchronise(replace(_DOSSIER, fees=[fee], results=[result]), [])
    kept = portal.dossiers[_DOSSIER.code]
    assert kept["DanhSachLePhi"][0]["Gia"] == "100000"
    assert kept["DanhSachGiayToKetQua"][0]["GiayToId"] == "7"
    assert kept["Email"] == ""  # wanted even where there is none
    assert "NgayTra" not in kept


def test_a_dry_run_shows_what_would_change() -> None:
    before = dossier_payload(_DOSSIER, _CODES)
    after = dossier_payload(replace(_DOSSIER, status=Business.IN_PROCESS, note="x"), _CODES)
    assert differences(before, before) == ()
    assert differences(before, after) == (
        Difference(name="TrangThaiHoSo", before="2", after="4"),
        Difference(name="GhiChu", before="", after="x"),
    )


def test_a_value_without_code_names_what_to_configure() -> None:
    with pytest.raises(PortalCodeMissing) as missing:
        dossier_payload(replace(_DOSSIER, owner_kind="household"), _CODES)
    assert missing.value.parameters == {"kind": "LoaiDoiTuong", "name": "household"}


def test_the_portals_refusal_carries_its_code(portal: DemoPortal) -> None:
    with served(portal) as address:
        with pytest.raises(PortalRefused) as login:
            _session(address, password="wrong").find("x")
        with pytest.raises(PortalRefused) as incomplete:
            _session(address).synchronise(replace(_DOSSIER, subject=""), [])
    assert login.value.parameters["portal_code"] == "02"
    assert incomplete.value.parameters["portal_code"] == "04"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"x"', b"{"])
def test_an_answer_that_is_none_means_call_again(body: bytes) -> None:
    def broken(request: WireRequest) -> WireReply:
        return WireReply(status=200, headers={"Content-Length": str(len(body))}, body=(body,))

    with served(broken) as address, pytest.raises(PartnerAnswerRefused):
        _session(address).find("x")


@pytest.mark.parametrize("code", [0, "0", "00"])
def test_success_is_read_as_a_number(code: object) -> None:
    def lenient(request: WireRequest) -> WireReply:
        body = json.dumps({"error_code": code, "session": "s", "result": None}).encode()
        return WireReply(status=200, headers={"Content-Length": str(len(body))}, body=(body,))

    with served(lenient) as address:
        assert _session(address).find("x") is None


def test_times_are_vietnamese() -> None:
    assert portal_time(datetime(2022, 12, 31, 17, 0, tzinfo=UTC)) == "20230101000000"
    assert portal_time(None) == ""
