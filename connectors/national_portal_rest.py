"""Tell the national public-service portal how dossiers stand, by its newer REST interface.

Token, files, dossier, progress, status (interchange.md §5). Three forms of dates travel in one
interface. Paths differ between installations and are configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from urllib3.filepost import encode_multipart_formdata

from connectors.errors import PartnerAnswerRefused, PortalLoginRefused, PortalRefused
from connectors.http import HttpClient
from connectors.json_replies import objects, read_object
from connectors.national_portal import (
    PortalCodes,
    PortalComponent,
    PortalDossier,
    PortalFile,
    PortalSubmitter,
    ProgressStep,
    portal_code,
    portal_time,
)
from dossier.model import Business

_HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_REPLY_BYTES: Final = 4 * 1024 * 1024
_JSON: Final = "application/json; charset=utf-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalPaths:
    """Where the operations are, below the address."""

    token: str = "token"  # noqa: S105 - a path
    next_number: str = "GetNextValue"
    upload: str = "UploadFile"
    dossier: str = "NoiHoSo"
    progress: str = "CapNhatTienTrinh"
    status: str = "CapNhatTrangThai"


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalClient:
    """Where the portal answers, and the account that it gave us."""

    address: str
    client_id: str
    client_secret: str
    agency: str  # MaDonViTiepNhan
    paths: PortalPaths = field(default_factory=PortalPaths)


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalReference:
    """What the portal calls a dossier of ours."""

    id: str  # IdHoSo
    code: str  # MaHoSo


class PortalRestSession:
    """One token and the calls made with it; open a new one for each run.

    Every call raises `PortalRefused` with the portal's code, `PartnerUnavailable`, or
    `PartnerAnswerRefused` for a reply that is none.
    """

    def __init__(self, client: PortalClient, *, http: HttpClient, codes: PortalCodes) -> None:
        self._client = client
        self._http = http
        self._codes = codes
        self._token = ""

    def next_code(self, agency: str = "") -> str:
        """Return a dossier number that the portal gives out."""
        query = f"?code={agency or self._client.agency}"
        answer = self._call("GET", self._client.paths.next_number + query)
        return _text(answer, "value")

    def register(self, dossier: PortalDossier) -> PortalReference:
        """Upload the files of a dossier and make it known; not safe to repeat: keep the answer."""
        uploaded = {
            file.name: self._upload(file)
            for component in dossier.components
            for file in component.files
        }
        payload = registration(dossier, self._codes, agency=self._client.agency, uploaded=uploaded)
        data = self._post(self._client.paths.dossier, payload).get("data")
        found = data if isinstance(data, Mapping) else {}
        return PortalReference(
            id=_text(found, "idHoSo"), code=str(found.get("maHoSo") or dossier.code)
        )

    def report(self, reference: PortalReference, steps: Sequence[ProgressStep]) -> None:
        """Add steps that were taken on a dossier."""
        items = [progress(reference, step, self._codes) for step in steps]
        if items:
            self._post(self._client.paths.progress, items)

    def set_status(self, reference: PortalReference, status: Business) -> None:
        """Say where a dossier stands; safe to repeat."""
        item = {
            "IdHoSo": reference.id,
            "MaHoSo": reference.code,
            "TrangThai": int(self._codes.statuses[status]),
        }
        self._post(self._client.paths.status, [item])

    def _upload(self, file: PortalFile) -> tuple[str, str]:
        """Return IdTepTin and HashTepTin, as the registration is to name them."""
        body, kind = encode_multipart_formdata(
            [("files", (file.name, file.content, file.media_type))]
        )
        answer = self._call("POST", self._client.paths.upload, body=body, content_type=kind)
        found = objects(answer.get("data"))
        if not found:
            raise PartnerAnswerRefused("expected the id of an uploaded file", status=200)
        return _text(found[0], "IdTepTin"), _text(found[0], "HashTepTin")

    def _post(self, path: str, content: object) -> Mapping[str, Any]:
        body = json.dumps(content, ensure_ascii=False).encode()
        return self._call("POST", path, body=body)

    def _call(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = _JSON
    ) -> Mapping[str, Any]:
        if not self._token:
            self._token = self._fetch_token()
        headers = {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = content_type
        return self._send(method, path, body=body, headers=headers)

    def _fetch_token(self) -> str:
        account = {
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
            "grant_type": "client_credentials",
        }
        try:
            answer = self._send(
                "POST",
                self._client.paths.token,
                body=json.dumps(account).encode(),
                headers={"Content-Type": _JSON},
            )
        except PortalRefused as exc:
            code = str(exc.parameters["portal_code"])
            raise PortalLoginRefused("expected a token", portal_code=code) from exc
        return _text(answer, "access_token")

    def _send(
        self, method: str, path: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> Mapping[str, Any]:
        url = f"{self._client.address.rstrip('/')}/{path}"
        with self._http.request(method, url, body=body, headers=headers) as reply:
            answer = read_object(reply, limit_bytes=_REPLY_BYTES)
            status = reply.status
        code = str(answer.get("error_code", answer.get("code", "0"))).strip()
        succeeded = not code.strip("0") or code == "200"
        if status >= 400 or not succeeded:
            shown = code if not succeeded else f"HTTP {status}"
            raise PortalRefused("expected success from the portal", portal_code=shown[:20])
        return answer


def registration(
    dossier: PortalDossier,
    codes: PortalCodes,
    *,
    agency: str,
    uploaded: Mapping[str, tuple[str, str]],
) -> Mapping[str, Any]:
    """Return the body of `NoiHoSo`; `uploaded` gives id and hash of each file by its name.

    Raises `PortalCodeMissing` for an unmapped value.
    """
    owner = int(portal_code(codes.owner_kinds, "LoaiDoiTuong", dossier.owner_kind))
    return _filled(
        {
            "MaHoSo": dossier.code,
            "MaTTHC": dossier.procedure_code,
            "MaDichVuCong": dossier.service_code or dossier.procedure_code,
            "ChuHoSo": dossier.owner_name,
            "LoaiDoiTuong": owner,
            "MaDonViTiepNhan": agency,
            "NgayNop": _plain_time(dossier.submitted or dossier.received),
            "NgayTiepNhan": _plain_time(dossier.received),
            "ThanhPhanHoSo": [_component(one, codes, uploaded) for one in dossier.components],
            "ThongTinNguoiNop": _submitter(dossier.submitter, owner),
        }
    )


def progress(
    reference: PortalReference, step: ProgressStep, codes: PortalCodes
) -> Mapping[str, Any]:
    """Return an item of `CapNhatTienTrinh`."""
    return _filled(
        {
            "IDHoSo": reference.id,
            "MaHoSo": reference.code,
            "NguoiXuLy": step.officer,
            "ChucDanh": step.title,
            "ThoiDiemXuLy": _iso_time(step.at),
            "PhongBanXuLy": step.unit,
            "NoiDungXuLy": step.content,
            "TrangThai": int(codes.statuses[step.status]),
            "NgayBatDau": _iso_time(step.started),
            "NgayKetThucTheoQuyDinh": _iso_time(step.due),
        }
    )


def _component(
    component: PortalComponent, codes: PortalCodes, uploaded: Mapping[str, tuple[str, str]]
) -> Mapping[str, Any]:
    attached = [
        _filled(
            {
                "IdGiayTo": uploaded[file.name][0],
                "MaKetQua": file.result_code,
                "TenGiayTo": file.name,
                "HashTepTin": uploaded[file.name][1],
            }
        )
        for file in component.files
    ]
    return _filled(
        {
            "MaThanhPhanHoSo": component.code,
            "TenThanhPhanHoSo": component.name,
            "SoLuong": component.copies,
            "LoaiBan": int(portal_code(codes.copy_kinds, "LoaiBan", component.copy_kind)),
            "GiayToDinhKem": attached,
        }
    )


def _submitter(submitter: PortalSubmitter | None, owner_kind: int) -> Mapping[str, Any] | None:
    if submitter is None:
        return None
    details = {
        "TenNguoiNop": submitter.name,
        "SoDinhDanh": submitter.identity_number,
        "NgayCapDinhDanh": portal_time(submitter.identity_issued),
        "NgaySinh": portal_time(submitter.born),
        "SoDienThoai": submitter.phone,
        "Email": submitter.email,
        "Fax": submitter.fax,
        "MaTinh": submitter.province_code,
        "MaHuyen": submitter.district_code,
        "MaXa": submitter.commune_code,
        "DiaChiChiTiet": submitter.address,
        "TenChuHs": submitter.owner_name,
        "SoDinhDanhChuHs": submitter.owner_identity_number,
        "MaTinhChuHs": submitter.owner_province_code,
        "MaXaChuHs": submitter.owner_commune_code,
        "DiaChiChiTietChuHs": submitter.owner_address,
    }
    return _filled(
        {
            "LoaiDoiTuong": owner_kind,
            "IdDoiTuong": submitter.account_id,
            "ThongTinChiTiet": _filled(details),
        }
    )


def _filled(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what is not known; 0 is known."""
    return {name: value for name, value in values.items() if value not in ("", None)}


def _plain_time(at: datetime) -> str:
    return f"{at.astimezone(_HERE):%Y-%m-%d %H:%M:%S}"


def _iso_time(at: datetime | None) -> str:
    """Return local time in ISO 8601 to the millisecond, without a zone, as the portal reads it."""
    if at is None:
        return ""
    local = at.astimezone(_HERE)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}"


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str | int) or value == "":
        raise PartnerAnswerRefused(f"expected {name} from the portal", status=200)
    return str(value)
