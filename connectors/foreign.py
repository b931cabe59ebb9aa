"""Call services of department systems by configuration: SOAP from a vendored WSDL, or JSON.

What goes in and comes out are plain values; how they are mapped to case values is not known here.
docs/howto/call-a-foreign-service.md shows a configuration.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol, assert_never
from urllib.parse import urlencode

import zeep
import zeep.exceptions
from lxml import etree

from connectors import soap_envelope
from connectors.callfile import ForeignCall, Kind, parse_calls
from connectors.errors import (
    ForeignCallMalformed,
    ForeignCallRefused,
    ForeignCallUnknown,
    ForeignInputsRefused,
    HttpRefused,
    PartnerAnswerRefused,
    PartnerUnavailable,
    SoapRefused,
)
from connectors.http import HttpClient, HttpReply
from connectors.multipart import Source
from connectors.plain_values import plain
from connectors.soap_envelope import Version
from dossier import safexml
from dossier.canonical import Json
from dossier.errors import XmlRefused

__all__ = [
    "Answer", "Answered", "BusinessError", "Calling", "ForeignCall", "ForeignCalls", "Kind",
    "RecordedCalls", "parse_calls",
]  # fmt: skip

_REPLY_BYTES: Final = 4 * 1024 * 1024
_BUSY: Final = frozenset({404, 408, 425, 429})
_KEY: Final = "Idempotency-Key"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The service did what was asked."""

    values: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class BusinessError:
    """The service said no in a way that the procedure foresees."""

    code: str


Answer = Answered | BusinessError


class Calling(Protocol):
    """What makes configured calls: for real, or from a recording."""

    def call(self, name: str, inputs: Mapping[str, Json], *, key: str) -> Answer:
        """Return the answer; raise `Unavailable` where a repetition may work.

        `key` is the same for every repetition: a service that knows it does the work once.
        """


class ForeignCalls:
    """A `Calling` over HTTP; calls of kind `recorded` are answered from their files."""

    def __init__(self, calls: Mapping[str, ForeignCall], *, http: HttpClient) -> None:
        self._calls = calls
        self._http = http

    def call(self, name: str, inputs: Mapping[str, Json], *, key: str) -> Answer:
        """Make one call."""
        found = _known(self._calls, name)
        match found.kind:
            case Kind.SOAP:
                return self._soap(found, inputs, key)
            case Kind.JSON:
                return self._json(found, inputs, key)
            case Kind.RECORDED:
                return _recorded(str(found.recording)).call(name, inputs, key=key)
            case Kind.JOB:
                raise ForeignCallUnknown("expected a call that is made, not taken", name=name)
            case _:
                assert_never(found.kind)

    def _soap(self, call: ForeignCall, inputs: Mapping[str, Json], key: str) -> Answer:
        model = _model(str(call.wsdl))
        try:
            bound = model.bind(port_name=call.port)
            envelope = model.create_message(bound, call.operation, **inputs)
            binding = bound._binding
            operation = binding.get(call.operation)
        except (zeep.exceptions.Error, TypeError, ValueError, AttributeError) as exc:
            raise ForeignInputsRefused(
                "expected values that the WSDL describes", name=call.name
            ) from exc
        is_11 = type(binding).__name__ == "Soap11Binding"
        version = Version.SOAP11 if is_11 else Version.SOAP12
        headers = {
            "Content-Type": f"{version.media_type}; charset=utf-8",
            "SOAPAction": f'"{operation.soapaction or ""}"',
            _KEY: key,
        }
        body = etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
        with self._http.post(call.url, body=body, headers=headers) as reply:
            return _soap_answer(call, reply, version, binding, operation, model)

    def _json(self, call: ForeignCall, inputs: Mapping[str, Json], key: str) -> Answer:
        if call.operation == "GET":
            url = f"{call.url}?{urlencode({k: _query(v) for k, v in inputs.items()})}"
            body = None
        else:
            url = call.url
            body = json.dumps(inputs, ensure_ascii=False).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json", _KEY: key}
        with self._http.request(call.operation, url, body=body, headers=headers) as reply:
            return _json_answer(call, reply)


class RecordedCalls:
    """A `Calling` that answers from a recording, for scenarios and tests of procedures.

    The recording is a list of {call, inputs, values | business_error}; inputs must be equal.
    """

    def __init__(self, recording: bytes) -> None:
        try:
            entries = json.loads(recording)
        except ValueError as exc:
            raise ForeignCallMalformed("expected JSON", name="*", reason="json") from exc
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise ForeignCallMalformed("expected a list of objects", name="*", reason="json")
        self._entries: list[Mapping[str, Any]] = entries

    def call(self, name: str, inputs: Mapping[str, Json], *, key: str) -> Answer:
        """Return what was recorded for these inputs."""
        for entry in self._entries:
            if entry.get("call") == name and entry.get("inputs", {}) == inputs:
                error = entry.get("business_error")
                if error:
                    return BusinessError(code=str(error))
                return Answered(values=entry.get("values", {}))
        raise ForeignCallUnknown("expected a recorded call with these inputs", name=name)


def _known(calls: Mapping[str, ForeignCall], name: str) -> ForeignCall:
    if name not in calls:
        raise ForeignCallUnknown("expected a configured call", name=name)
    return calls[name]


def _recorded(path: str) -> RecordedCalls:
    try:
        return RecordedCalls(Path(path).read_bytes())
    except OSError as exc:
        raise ForeignCallMalformed("expected a recording", name=path, reason="recording") from exc


@lru_cache(maxsize=32)
def _model(path: str) -> Any:  # noqa: ANN401 - zeep states no types
    """Return zeep's model of a vendored WSDL, parsed once per process."""
    settings = zeep.Settings(
        strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        return zeep.Client(path, settings=settings)  # type: ignore[no-untyped-call]  # zeep's
    except (zeep.exceptions.Error, OSError, etree.XMLSyntaxError) as exc:
        raise ForeignCallMalformed("expected a sound WSDL", name=path, reason="wsdl") from exc


@lru_cache(maxsize=32)
def _schema(path: str) -> etree.XMLSchema | None:
    """Return the schema inside a WSDL where it has one of its own, which is the usual case.

    zeep logs a value that does not fit its type and returns None for it: nobody may mistake that
    for an answer.
    """
    wsdl = safexml.parse(Path(path).read_bytes(), keep_comments=True)
    found = list(wsdl.iter("{http://www.w3.org/2001/XMLSchema}schema"))
    if len(found) != 1:
        return None
    scope: Any = found[0].nsmap  # prefixes that the WSDL's root declares count inside as well
    names = {str(key): str(value) for key, value in found[0].items()}
    schema = etree.Element(found[0].tag, names, nsmap=scope)
    schema.extend(copy.deepcopy(node) for node in found[0])
    try:
        return etree.XMLSchema(schema)
    except etree.XMLSchemaParseError:
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reply:
    """What zeep wants to see of a reply."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    encoding: str = "utf-8"


def _soap_answer(
    call: ForeignCall,
    reply: HttpReply,
    version: Version,
    binding: Any,  # noqa: ANN401 - zeep states no types
    operation: Any,  # noqa: ANN401 - zeep states no types
    model: Any,  # noqa: ANN401 - zeep states no types
) -> Answer:
    nothing = PartnerAnswerRefused("expected the operation's reply", status=reply.status)
    try:
        content = Source(reply).all(_REPLY_BYTES)
        message = soap_envelope.parse_envelope(content, expected=version)
    except (HttpRefused, SoapRefused, XmlRefused) as exc:
        raise nothing from exc
    schema = _schema(str(call.wsdl))
    is_fault = etree.QName(message.content).namespace == version.value
    if schema is not None and not is_fault and not schema.validate(message.content):
        raise nothing
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    shown = _Reply(status_code=reply.status, content=content, headers=headers)
    try:
        return Answered(values=plain(binding.process_reply(model, operation, shown)))
    except zeep.exceptions.Fault as fault:
        return _fault(call, fault, reply.status)
    except (zeep.exceptions.Error, ValueError) as exc:
        raise nothing from exc


def _fault(call: ForeignCall, fault: Any, status: int) -> BusinessError:  # noqa: ANN401 - zeep
    """Return the business error that a fault is, or raise what it is otherwise."""
    code = str(fault.code or "").rpartition(":")[2]
    detail = fault.detail if fault.detail is not None else ()
    names = [etree.QName(node).localname for node in detail if isinstance(node.tag, str)]
    found = next((name for name in (*names, code) if name in call.business_errors), None)
    if found is not None:
        return BusinessError(code=found)
    if code in ("Server", "Receiver") or status == 503:
        raise PartnerUnavailable("expected an answer, got a fault", partner_code=code)
    raise ForeignCallRefused("expected an answer, got a fault", name=call.name, partner_code=code)


def _json_answer(call: ForeignCall, reply: HttpReply) -> Answer:
    status = str(reply.status)
    if status in call.business_errors:
        return BusinessError(code=status)
    nothing = PartnerAnswerRefused("expected a JSON object", status=reply.status)
    if reply.status in _BUSY or reply.status >= 500 or 300 <= reply.status < 400:
        raise nothing
    if reply.status >= 400:
        raise ForeignCallRefused("expected 2xx", name=call.name, partner_code=status)
    try:
        values = json.loads(Source(reply).all(_REPLY_BYTES), parse_float=str)
    except (HttpRefused, ValueError, RecursionError) as exc:
        raise nothing from exc
    return Answered(values=plain(values))


def _query(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)
