"""Tell the national public-service portal how dossiers stand (interchange.md §5, domain.md §6).

Payloads are made by pure functions, so that a dry run can show what would change. Codes that
differ between implementations are configuration. Read-then-write: callers serialise per dossier.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from connectors.errors import PortalCodeMissing, PortalLoginRefused, PortalRefused
from connectors.http import HttpClient
from connectors.json_replies import read_object
from dossier.model import Business

_HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_REPLY_BYTES: Final = 4 * 1024 * 1024
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}

# Fields that portals want to see even where nothing is known (interchange.md §5).
_ALWAYS: Final = frozenset(
    {"MaLinhVuc", "TenLinhVuc", "Email", "SoDienThoai", "TrichYeuHoSo", "DonViXuLy"}
)

Payload: TypeAlias = "Mapping[str, str | Sequence[Mapping[str, str]]]"


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalFee:
    """Something to pay."""

    name: str
    code: str
    when: str  # HinhThucThu: 1 at receipt, 2 at supplement, 4 at return
    amount_vnd: int
    kind: str  # LoaiPhiLePhi


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalResult:
    """A paper that ends the dossier."""

    name: str
    component_code: str
    paper_id: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalFile:
    """A file to be uploaded; names are unique within a dossier."""

    name: str
    media_type: str
    content: bytes
    result_code: str = ""  # MaKetQua, where the file is a result of another procedure


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalComponent:
    """A paper that the procedure asks for."""

    code: str
    name: str
    copies: int
    copy_kind: str  # a key of `PortalCodes.copy_kinds`
    files: Sequence[PortalFile] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalSubmitter:
    """Who handed the dossier in, and for whom; "" and None are left out."""

    name: str
    identity_number: str = ""
    identity_issued: datetime | None = None
    born: datetime | None = None
    phone: str = ""
    email: str = ""
    fax: str = ""
    province_code: str = ""
    district_code: str = ""  # none since districts were abolished on 1 July 2025
    commune_code: str = ""
    address: str = ""
    account_id: str = ""  # of the portal
    owner_name: str = ""
    owner_identity_number: str = ""
    owner_province_code: str = ""
    owner_commune_code: str = ""
    owner_address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalDossier:
    """What the portal is told about one dossier; None and "" are left out."""

    code: str
    procedure_code: str
    procedure_name: str
    field_code: str
    field_name: str
    owner_name: str
    owner_kind: str  # a key of `PortalCodes.owner_kinds`
    phone: str
    email: str
    subject: str
    received: datetime
    due: datetime
    status: Business
    unit: str
    channel: str  # a key of `PortalCodes.channels`
    return_form: str  # a key of `PortalCodes.return_forms`
    submitted: datetime | None = None
    finished: datetime | None = None
    returned: datetime | None = None
    return_note: str = ""
    note: str = ""
    fees: Sequence[PortalFee] = ()
    results: Sequence[PortalResult] = ()
    service_code: str = ""  # MaDichVuCong, only in the newer interface
    components: Sequence[PortalComponent] = ()  # only in the newer interface
    submitter: PortalSubmitter | None = None  # only in the newer interface


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgressStep:
    """One step that somebody took on the dossier."""

    officer: str
    title: str
    unit: str
    at: datetime
    content: str
    status: Business
    started: datetime | None = None
    due: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalCodes:
    """Our words in the codes of one portal."""

    owner_kinds: Mapping[str, str]  # LoaiDoiTuong: 1 and 2 here, 0 to 2 there
    channels: Mapping[str, str]  # KenhThucHien
    return_forms: Mapping[str, str]  # HinhThuc
    copy_kinds: Mapping[str, str] = field(  # LoaiBan, only in the newer interface
        default_factory=lambda: {"original": "0", "copy": "1", "electronic": "2"}
    )
    statuses: Mapping[Business, str] = field(
        default_factory=lambda: {status: str(status.value) for status in Business}
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A field that a synchronisation would change; a list counts as one field."""

    name: str
    before: str
    after: str


def dossier_payload(dossier: PortalDossier, codes: PortalCodes) -> Payload:
    """Return the item of `DongBoHoSoMC`; raise `PortalCodeMissing` for an unmapped value."""
    texts = {
        "MaHoSo": dossier.code,
        "MaTTHC": dossier.procedure_code,
        "TenTTHC": dossier.procedure_name,
        "MaLinhVuc": dossier.field_code,
        "TenLinhVuc": dossier.field_name,
        "KenhThucHien": portal_code(codes.channels, "KenhThucHien", dossier.channel),
        "ChuHoSo": dossier.owner_name,
        "LoaiDoiTuong": portal_code(codes.owner_kinds, "LoaiDoiTuong", dossier.owner_kind),
        "Email": dossier.email,
        "SoDienThoai": dossier.phone,
        "TrichYeuHoSo": dossier.subject,
        "NgayNopHoSo": portal_time(dossier.submitted),
        "NgayTiepNhan": portal_time(dossier.received),
        "NgayHenTra": portal_time(dossier.due),
        "NgayKetThucXuLy": portal_time(dossier.finished),
        "NgayTra": portal_time(dossier.returned),
        "TrangThaiHoSo": codes.statuses[dossier.status],
        "ThongTinTra": dossier.return_note,
        "HinhThuc": portal_code(codes.return_forms, "HinhThuc", dossier.return_form),
        "DonViXuLy": dossier.unit,
        "GhiChu": dossier.note,
    }
    lists = {
        "DanhSachLePhi": [_fee(one) for one in dossier.fees],
        "DanhSachGiayToKetQua": [_result(one) for one in dossier.results],
    }
    filled: dict[str, str | Sequence[Mapping[str, str]]] = {
        name: text for name, text in texts.items() if text or name in _ALWAYS
    }
    filled.update({name: items for name, items in lists.items() if items})
    return filled


def progress_payload(code: str, step: ProgressStep, codes: PortalCodes) -> Payload:
    """Return the item of `CapNhatTienDoHoSoMC`."""
    texts = {
        "MaHoSo": code,
        "NguoiXuLy": step.officer,
        "ChucDanh": step.title,
        "ThoiDiemXuLy": portal_time(step.at),
        "PhongBanXuLy": step.unit,
        "NoiDungXuLy": step.content,
        "TrangThai": codes.statuses[step.status],
        "NgayBatDau": portal_time(step.started),
        "NgayKetThucTheoQuyDinh": portal_time(step.due),
    }
    return {name: text for name, text in texts.items() if text}


def differences(before: Payload, after: Payload) -> tuple[Difference, ...]:
    """Return what changes between two payloads, for a dry run."""
    shown = [{name: _shown(value) for name, value in one.items()} for one in (before, after)]
    return tuple(
        Difference(name=name, before=shown[0].get(name, ""), after=shown[1].get(name, ""))
        for name in dict.fromkeys((*shown[0], *shown[1]))
        if shown[0].get(name) != shown[1].get(name)
    )


def portal_time(at: datetime | None) -> str:
    """Return yyyyMMddHHmmss in Vietnamese time; "" for None."""
    return f"{at.astimezone(_HERE):%Y%m%d%H%M%S}" if at else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalAccount:
    """Where the portal answers and as whom we call it."""

    address: str  # the one integration endpoint
    username: str
    password: str
    agency: str  # madonvi


class PortalSession:
    """One login and the calls made with it; open a new one for each run."""

    def __init__(self, account: PortalAccount, *, http: HttpClient, codes: PortalCodes) -> None:
        self._account = account
        self._http = http
        self._codes = codes
        self._session = ""

    def synchronise(self, dossier: PortalDossier, steps: Sequence[ProgressStep]) -> bool:
        """Create or update the dossier, then add the steps; return whether it was known before.

        Safe to repeat. Raises `PortalRefused` with the portal's code, `PartnerUnavailable`.
        """
        is_known = self.find(dossier.code) is not None
        self._call(
            "DongBoHoSoMC",
            isUpdating=str(is_known),
            data=[dossier_payload(dossier, self._codes)],
        )
        if steps:
            items = [progress_payload(dossier.code, step, self._codes) for step in steps]
            self._call("CapNhatTienDoHoSoMC", data=items)
        return is_known

    def find(self, code: str) -> Payload | None:
        """Return what the portal knows about a dossier; None when it knows nothing."""
        result = self._call("TraCuuHoSo", mahoso=code).get("result")
        found = result[0] if isinstance(result, list) and result else result
        return found if isinstance(found, dict) and found.get("MaHoSo") else None

    def procedure(self, code: str) -> Mapping[str, Any] | None:
        """Return the portal's description of a procedure, its keys in upper case as they come."""
        result = self._call("LayThuTuc", maTTHC=code).get("result")
        found = result[0] if isinstance(result, list) and result else None
        return found if isinstance(found, dict) else None

    def _call(self, service: str, **parameters: object) -> Mapping[str, Any]:
        if not self._session:
            self._session = self._login()
        return self._post(
            {
                "session": self._session,
                "madonvi": self._account.agency,
                "service": service,
                **parameters,
            }
        )

    def _login(self) -> str:
        account = self._account
        try:
            answer = self._post({"username": account.username, "password": account.password})
        except PortalRefused as exc:
            code = str(exc.parameters["portal_code"])
            raise PortalLoginRefused("expected a session", portal_code=code) from exc
        session = answer.get("session")
        if not isinstance(session, str) or not session:
            raise PortalLoginRefused("expected a session", portal_code="login")
        return session

    def _post(self, content: Mapping[str, object]) -> Mapping[str, Any]:
        body = json.dumps(content, ensure_ascii=False).encode()
        with self._http.post(self._account.address, body=body, headers=_HEADERS) as reply:
            answer = read_object(reply, limit_bytes=_REPLY_BYTES)
        # 0, "0" and "00" all mean success.
        code = str(answer.get("error_code", "")).strip()
        if not code.isdecimal() or int(code) != 0:
            raise PortalRefused("expected success from the portal", portal_code=code[:20] or "none")
        return answer


def portal_code(codes: Mapping[str, str], kind: str, name: str) -> str:
    """Return what the portal calls one of our words; raise `PortalCodeMissing`."""
    if name not in codes:
        raise PortalCodeMissing(f"expected a code of {kind} for {name}", kind=kind, name=name)
    return codes[name]


def _fee(fee: PortalFee) -> Mapping[str, str]:
    return {
        "TenPhiLePhi": fee.name,
        "MaPhiLePhi": fee.code,
        "HinhThucThu": fee.when,
        "Gia": str(fee.amount_vnd),
        "LoaiPhiLePhi": fee.kind,
    }


def _result(result: PortalResult) -> Mapping[str, str]:
    return {
        "TenGiayTo": result.name,
        "MaThanhPhanHoSo": result.component_code,
        "GiayToId": result.paper_id,
        "DuongDanTepTinKetQua": result.url,
    }


def _shown(value: object) -> str:
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    )
