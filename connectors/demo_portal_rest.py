"""A national portal for tests and demonstrations: the newer REST interface, kept in memory."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, Final
from urllib.parse import parse_qs

from connectors.errors import HttpRefused
from connectors.multipart import Source
from dossier.wire import WireReply, WireRequest

_BODY_BYTES: Final = 32 * 1024 * 1024
_PLAIN: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}")
_MANDATORY: Final = ("MaHoSo", "MaTTHC", "MaDichVuCong", "ChuHoSo", "LoaiDoiTuong",
                     "MaDonViTiepNhan", "NgayNop", "NgayTiepNhan")  # fmt: skip

Answer = tuple[int, dict[str, Any]]


class DemoRestPortal:
    """A `WireEndpoint` that answers as the newer portal does, and as strictly."""

    def __init__(self, *, client_id: str, client_secret: str) -> None:
        self._account = (client_id, client_secret)
        self._lock = threading.Lock()
        self._tokens: set[str] = set()
        self._given = 0
        self.files: dict[str, bytes] = {}  # by IdTepTin
        self.dossiers: dict[str, dict[str, Any]] = {}  # by IdHoSo
        self.steps: list[Mapping[str, Any]] = []
        self._services: Mapping[str, Callable[[WireRequest, bytes], Answer]] = {
            "GetNextValue": self._next,
            "UploadFile": self._upload,
            "NoiHoSo": self._register,
            "CapNhatTienTrinh": self._progress,
            "CapNhatTrangThai": self._status,
        }

    def __call__(self, request: WireRequest) -> WireReply:
        """Answer one call."""
        try:
            body = Source(request.stream).all(_BODY_BYTES)
        except HttpRefused:
            return _reply(400, {"error_code": "01"})
        with self._lock:
            status, answer = self._answer(request, body)
        return _reply(status, answer)

    def _answer(self, request: WireRequest, body: bytes) -> Answer:
        name = request.path.rsplit("/", 1)[-1]
        if name == "token":
            return self._token(body)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer not in self._tokens:
            return 401, {"error_code": "02"}
        service = self._services.get(name)
        return service(request, body) if service else (404, {"error_code": "03"})

    def _token(self, body: bytes) -> Answer:
        asked = _parsed(body)
        if not isinstance(asked, dict):
            return 400, {"error_code": "01"}
        if (asked.get("client_id"), asked.get("client_secret")) != self._account:
            return 401, {"error_code": "02"}
        token = secrets.token_hex(16)
        self._tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def _next(self, request: WireRequest, _body: bytes) -> Answer:
        code = parse_qs(request.query).get("code", [""])[0]
        self._given += 1
        return 200, {"value": f"{code}-20260609-{self._given:07d}"}

    def _upload(self, request: WireRequest, body: bytes) -> Answer:
        # Browsers and this client send file names in UTF-8: the reader of SOAP parts refuses them.
        head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n"
        form = message_from_bytes(head.encode("latin-1", "replace") + body, policy=HTTP)
        if not form.is_multipart():
            return 400, {"error_code": "01"}
        contents = [bytes(part.get_payload(decode=True) or b"") for part in form.iter_parts()]
        answered = []
        for content in contents:
            identifier = secrets.token_hex(8)
            self.files[identifier] = content
            digest = hashlib.sha256(content).hexdigest()
            answered.append({"IdTepTin": identifier, "HashTepTin": digest})
        return 200, {"data": answered}

    def _register(self, _request: WireRequest, body: bytes) -> Answer:
        asked = _parsed(body)
        if not isinstance(asked, dict) or any(name not in asked for name in _MANDATORY):
            return 400, {"error_code": "04"}
        if not _PLAIN.fullmatch(asked["NgayNop"]) or not _PLAIN.fullmatch(asked["NgayTiepNhan"]):
            return 400, {"error_code": "04"}
        attached = [
            file for one in asked.get("ThanhPhanHoSo", []) for file in one.get("GiayToDinhKem", [])
        ]
        if any(file.get("IdGiayTo") not in self.files for file in attached):
            return 400, {"error_code": "07"}
        if any(one["MaHoSo"] == asked["MaHoSo"] for one in self.dossiers.values()):
            return 409, {"error_code": "05"}
        identifier = secrets.token_hex(8)
        self.dossiers[identifier] = asked
        return 200, {"data": {"idHoSo": identifier, "maHoSo": asked["MaHoSo"]}}

    def _progress(self, _request: WireRequest, body: bytes) -> Answer:
        items = self._items(body, "IDHoSo")
        if items is None or any(not _ISO.fullmatch(one.get("ThoiDiemXuLy", "")) for one in items):
            return 400, {"error_code": "04"}
        self.steps.extend(one for one in items if one not in self.steps)
        return 200, {"error_code": "00"}

    def _status(self, _request: WireRequest, body: bytes) -> Answer:
        items = self._items(body, "IdHoSo")
        if items is None or any(one.get("TrangThai") not in range(1, 11) for one in items):
            return 400, {"error_code": "06"}
        for one in items:
            self.dossiers[one["IdHoSo"]]["TrangThai"] = one["TrangThai"]
        return 200, {"error_code": "00"}

    def _items(self, body: bytes, key: str) -> list[dict[str, Any]] | None:
        """Return the items about dossiers that are known; None for anything else."""
        items = _parsed(body)
        if not isinstance(items, list) or not items:
            return None
        known = all(isinstance(one, dict) and one.get(key) in self.dossiers for one in items)
        return items if known else None


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _reply(status: int, answer: Mapping[str, Any]) -> WireReply:
    body = json.dumps(answer, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return WireReply(status=status, headers=headers, body=(body,))
