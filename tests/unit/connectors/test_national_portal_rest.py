"""The newer national portal: token, files, dossier, progress and status, each in its own form."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.demo_portal_rest import DemoRestPortal
from connectors.errors import PartnerAnswerRefused, PortalCodeMissing, PortalRefused
from connectors.http import HttpClient, only_hosts
from connectors.national_portal import (
    PortalCodes,
    PortalComponent,
    PortalDossier,
    PortalFile,
    PortalSubmitter,
    ProgressStep,
)
from connectors.national_portal_rest import PortalClient, PortalRestSession, registration
from dossier.model import Business
from dossier.wire import WireReply, WireRequest
from tests.builders.wire_server import served

_CODES = PortalCodes(
    owner_kinds={"person": "0", "business": "1", "household": "2"}, channels={}, return_forms={}
)
_AT = datetime(2026, 6, 8, 7, 7, 53, 329_000, tzinfo=UTC)
_FILE = PortalFile(name="đơn.pdf", media_type="application/pdf", content=b"%PDF-\r\n--\x00")
_DOSSIER = PortalDossier(
    code="G09.20-20260608-0000001",
    procedure_code="1.005129",
    procedure_name="Cấp giấy phép",
    field_code="",
    field_name="",
    owner_name="Nguyễn Văn A",
    owner_kind="person",
    phone="0900000000",
    email="",
    subject="Cấp giấy phép",
    received=_AT,
    due=_AT,
    status=Business.ACCEPTED,
    unit="Bộ phận Một cửa",
    channel="",
    return_form="",
    components=(
        PortalComponent(
            code="K1", name="Đơn đề nghị", copies=1, copy_kind="electronic", files=(_FILE,)
        ),
    ),
    submitter=PortalSubmitter(name="Nguyễn Văn A", born=_AT, commune_code="27358"),
)
_STEP = ProgressStep(
    officer="Trần Thị B",
    title="",
    unit="Phòng A",
    at=_AT,
    content="Thẩm định",
    status=Business.IN_PROCESS,
)


@pytest.fixture
def portal() -> DemoRestPortal:
    return DemoRestPortal(client_id="h08", client_secret="secret")


@pytest.fixture
def session(portal: DemoRestPortal) -> Iterator[PortalRestSession]:
    with served(portal) as address:
        yield _session(address)


def _session(address: str, *, secret: str = "secret") -> PortalRestSession:
    client = PortalClient(
        address=f"{address}/", client_id="h08", client_secret=secret, agency="G09.20"
    )
    return PortalRestSession(
        client, http=HttpClient(may_call=only_hosts("127.0.0.1")), codes=_CODES
    )


def test_a_dossier_goes_the_whole_way(portal: DemoRestPortal, session: PortalRestSession) -> None:
    code = session.next_code()
    assert code == "G09.20-20260609-0000001"
    reference = session.register(replace(_DOSSIER, code=code))
    assert reference.code == code
    session.report(reference, [_STEP])
    session.report(reference, [_STEP])
    session.report(reference, [])
    session.set_status(reference, Business.PROCESSED)
    kept = portal.dossiers[reference.id]
    assert kept["TrangThai"] == 9
    attached = kept["ThanhPhanHoSo"][0]["GiayToDinhKem"][0]
    assert attached["HashTepTin"] == hashlib.sha256(_FILE.content).hexdigest()
    assert portal.files[attached["IdGiayTo"]] == _FILE.content
    assert [step["NoiDungXuLy"] for step in portal.steps] == ["Thẩm định"]


def test_the_three_forms_of_dates_stand_where_the_portal_reads_them(
    portal: DemoRestPortal, session: PortalRestSession
) -> None:
    reference = session.register(_DOSSIER)
    session.report(reference, [_STEP])
    kept = portal.dossiers[reference.id]
    assert kept["NgayTiepNhan"] == "2026-06-08 14:07:53"
    assert kept["ThongTinNguoiNop"]["ThongTinChiTiet"]["NgaySinh"] == "20260608140753"
    assert portal.steps[0]["ThoiDiemXuLy"] == "2026-06-08T14:07:53.329"
    # 0 is a person here, and is told; what is unknown is left out.
    assert kept["LoaiDoiTuong"] == 0
    assert "Fax" not in kept["ThongTinNguoiNop"]["ThongTinChiTiet"]


def test_a_second_registration_is_refused_by_its_code(session: PortalRestSession) -> None:
    session.register(_DOSSIER)
    with pytest.raises(PortalRefused) as refused:
        session.register(_DOSSIER)
    assert refused.value.parameters["portal_code"] == "05"


def test_a_wrong_secret_and_an_unknown_dossier_are_refused(portal: DemoRestPortal) -> None:
    with served(portal) as address:
        with pytest.raises(PortalRefused) as login:
            _session(address, secret="wrong").next_code()
        other = _session(address)
        reference = replace(other.register(_DOSSIER), id="none")
        with pytest.raises(PortalRefused):
            other.set_status(reference, Business.PROCESSED)
    assert login.value.parameters["portal_code"] == "02"


def test_a_value_without_code_names_what_to_configure() -> None:
    with pytest.raises(PortalCodeMissing):
        registration(
            replace(_DOSSIER, owner_kind="estate", components=()),
            _CODES,
            agency="G09.20",
            uploaded={},
        )


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_an_answer_that_is_none_means_call_again(body: bytes) -> None:
    def broken(request: WireRequest) -> WireReply:
        return WireReply(status=200, headers={"Content-Length": str(len(body))}, body=(body,))

    with served(broken) as address, pytest.raises(PartnerAnswerRefused):
        _session(address).next_code()
