"""Call the national document axis: send and list edXML files, fetch them, report how they fare.

At least once with explicit acknowledgement: a file is listed again until its status is updated,
so the caller's inbox key is the axis's `docId` together with the digest of the content.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from connectors.edxml.axis_auth import AxisIdentity, body_digest, sign_headers
from connectors.errors import AxisRefused, PartnerAnswerRefused
from connectors.http import HttpClient
from connectors.json_replies import objects, read_object
from dossier.clock import Clock

_JSON: Final = "application/json"
_BINARY: Final = "application/octet-stream"
_LIST_BYTES: Final = 8 * 1024 * 1024
_FILE_BYTES: Final = 100 * 1024 * 1024  # base64 of the 50 MB that the gateway lets through


class MessageType(Enum):
    """What a file on the axis is."""

    LETTER = "edoc"
    STATUS = "status"


class AxisStatus(Enum):
    """What the axis is told about a fetched file."""

    PROCESSING = "processing"
    DONE = "done"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class AxisEntry:
    """A file that waits on the axis."""

    doc_id: str
    from_organ: str
    to_organ: str
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AxisAgency:
    """An organ that the axis knows."""

    id: str
    parent_id: str
    code: str
    name: str
    mail: str


class AxisClient:
    """The axis at one address, for one system."""

    def __init__(
        self,
        *,
        address: str,
        identity: AxisIdentity,
        http: HttpClient,
        clock: Clock,
        pads_digest: bool = True,
    ) -> None:
        self._address = address.rstrip("/")
        self._identity = identity
        self._http = http
        self._clock = clock
        self._pads_digest = pads_digest

    def send(
        self, file: bytes, *, from_organ: str, to_organs: Sequence[str], kind: MessageType
    ) -> str:
        """Hand over an edXML file; return the axis's id of it."""
        parameters = {
            "from": from_organ,
            "servicetype": "eDoc",
            "messagetype": kind.value,
            "to": json.dumps(list(to_organs), separators=(",", ":")),
            "hash-file": body_digest(file, padded=self._pads_digest),
        }
        answer = self._call("sendEdoc", parameters, body=file, content_type=_BINARY)
        doc_id = answer.get("DocId")
        if not doc_id:
            raise PartnerAnswerRefused("expected a DocId", status=200)
        return str(doc_id)

    def received(self, kind: MessageType) -> tuple[AxisEntry, ...]:
        """List the files that wait for this system."""
        parameters = {"servicetype": "eDoc", "messagetype": kind.value}
        found = self._call("getReceivedEdocList", parameters).get("data")
        return tuple(
            AxisEntry(
                doc_id=_text(one, "docId"),
                from_organ=_text(one, "from"),
                to_organ=_text(one, "to"),
                status=_text(one, "status"),
            )
            for one in objects(found)
        )

    def fetch(self, doc_id: str) -> bytes:
        """Return a file as it was sent; it stays listed until `report` is called."""
        data = self._call("getEdoc", {"docId": doc_id, "filePath": ""}).get("data")
        try:
            return base64.b64decode("".join(str(data or "").split()), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise PartnerAnswerRefused("expected a file in base64", status=200) from exc

    def report(self, doc_id: str, status: AxisStatus) -> None:
        """Tell the axis how a fetched file fares; only after it is durably stored."""
        self._call("updateStatus", {"docId": doc_id, "status": status.value})

    def agencies(self) -> tuple[AxisAgency, ...]:
        """Return the organs that the axis knows."""
        found = self._call("getAgenciesList", {}).get("data")
        return tuple(
            AxisAgency(
                id=_text(one, "id"),
                parent_id=_text(one, "pid"),
                code=_text(one, "code"),
                name=_text(one, "name"),
                mail=_text(one, "mail"),
            )
            for one in objects(found)
        )

    def _call(
        self,
        path: str,
        parameters: Mapping[str, str],
        *,
        body: bytes = b"{}",
        content_type: str = _JSON,
    ) -> Mapping[str, Any]:
        headers = sign_headers(
            self._identity, parameters, content_type=content_type, at=self._clock.now()
        )
        limit = _FILE_BYTES if path == "getEdoc" else _LIST_BYTES
        with self._http.post(f"{self._address}/{path}", body=body, headers=headers) as reply:
            answer = read_object(reply, limit_bytes=limit)
        code = str(answer.get("ErrorCode", "0"))
        if str(answer.get("status", "")).upper() != "OK" or code not in ("0", ""):
            raise AxisRefused("expected success from the axis", axis_code=code[:20])
        return answer


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return "" if value is None else str(value)
