"""A national portal for tests and demonstrations: the older JSON service, kept in memory.

It checks what a real one would refuse, so that a connector that works here was made with care.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.errors import HttpRefused
from connectors.multipart import Source
from dossier.wire import WireReply, WireRequest

_BODY_BYTES: Final = 1024 * 1024
_STATUSES: Final = frozenset(str(number) for number in range(1, 11))
_TIME: Final = re.compile(r"\d{14}")
_MANDATORY: Final = (
    "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "LoaiDoiTuong", "SoDienThoai",
    "TrichYeuHoSo", "NgayTiepNhan", "NgayHenTra", "TrangThaiHoSo", "HinhThuc", "DonViXuLy",
)  # fmt: skip
_STEP: Final = ("MaHoSo", "NguoiXuLy", "ThoiDiemXuLy", "NoiDungXuLy", "TrangThai")


class DemoPortal:
    """A `WireEndpoint` that answers as the national portal does."""

    def __init__(self, *, username: str, password: str, agency: str) -> None:
        self._account = (username, password)
        self._agency = agency
        self._lock = threading.Lock()
        self._sessions: set[str] = set()
        self.dossiers: dict[str, Mapping[str, Any]] = {}
        self.steps: list[Mapping[str, Any]] = []
        self._services: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "TraCuuHoSo": self._find,
            "DongBoHoSoMC": self._synchronise,
            "CapNhatTienDoHoSoMC": self._progress,
            "LayThuTuc": self._procedure,
        }

    def __call__(self, request: WireRequest) -> WireReply:
        """Answer one call; everything is HTTP 200, the code inside tells."""
        try:
            asked = json.loads(Source(request.stream).all(_BODY_BYTES))
        except (HttpRefused, ValueError, RecursionError):
            return _reply({"error_code": "01"})
        if not isinstance(asked, dict):
            return _reply({"error_code": "01"})
        with self._lock:
            return _reply(self._answer(asked))

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if "service" not in asked:
            return self._login(asked)
        if asked.get("session") not in self._sessions or asked.get("madonvi") != self._agency:
            return {"error_code": "02"}
        service = self._services.get(str(asked["service"]))
        return service(asked) if service else {"error_code": "03"}

    def _login(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if (asked.get("username"), asked.get("password")) != self._account:
            return {"error_code": "02"}
        session = secrets.token_hex(16)
        self._sessions.add(session)
        return {"error_code": 0, "session": session}

    def _find(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = self.dossiers.get(str(asked.get("mahoso")))
        return {"error_code": "00", "result": [found] if found else []}

    def _synchronise(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        updating = asked.get("isUpdating")
        items = asked.get("data")
        if updating not in ("True", "False") or not _are_complete(items, _MANDATORY):
            return {"error_code": "04"}
        for item in items or []:
            if "Email" not in item:  # may be empty, may not be missing
                return {"error_code": "04"}
            if (item["MaHoSo"] in self.dossiers) != (updating == "True"):
                return {"error_code": "05"}
            if item["TrangThaiHoSo"] not in _STATUSES:
                return {"error_code": "06"}
            self.dossiers[item["MaHoSo"]] = item
        return {"error_code": "00"}

    def _progress(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        items = asked.get("data")
        if not _are_complete(items, _STEP):
            return {"error_code": "04"}
        if any(item["MaHoSo"] not in self.dossiers for item in items or []):
            return {"error_code": "05"}
        self.steps.extend(item for item in items or [] if item not in self.steps)
        return {"error_code": "00"}

    def _procedure(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        code = str(asked.get("maTTHC"))
        field = {"MALINHVUC": "G01", "TENLINHVUC": "Lĩnh vực thử nghiệm"}
        known = {"MATTHC": code, "TENTTHC": "Thủ tục thử nghiệm", "LINHVUCTHUCHIEN": [field]}
        return {"error_code": "00", "result": [known]}


def _are_complete(items: object, mandatory: tuple[str, ...]) -> bool:
    """Tell whether these are items with all they need, texts only, dates in their form."""
    if not isinstance(items, list) or not items:
        return False
    for item in items:
        if not isinstance(item, dict) or not all(item.get(name) for name in mandatory):
            return False
        for name, value in item.items():
            if not isinstance(value, str | list):
                return False
            if name.startswith(("Ngay", "ThoiDiem")) and not _TIME.fullmatch(str(value)):
                return False
    return True


def _reply(content: Mapping[str, Any]) -> WireReply:
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return WireReply(status=200, headers=headers, body=(body,))
