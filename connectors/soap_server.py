"""The SOAP endpoint: from an unread HTTP request to a receipt or a fault, without HTTP framework.

It knows nothing of keys and tables: `Receiving` is the use case behind it, `Spool` the disk.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from connectors import contract, xop
from connectors.errors import (
    BodyTooLarge,
    InternalFault,
    MethodNotAllowed,
    OperationNotOffered,
    WsSecurityRefused,
)
from connectors.incoming import Call, Incoming, ServerCaps, SignedCalls
from connectors.intake import checked_container, spool_container
from connectors.mailbox import PullOperations
from connectors.soap_faults import fault_reply, xml_reply
from dossier.errors import LienThongError
from dossier.ids import AgencyCode, parse_agency_code, parse_message_id, parse_sha256, same_agency
from dossier.wire import Receiving, SendHints, Spool, Spooled, WireReply, WireRequest

_LOG: Final = logging.getLogger(__name__)
_WSDL_QUERIES: Final = frozenset({"wsdl", "singlewsdl"})  # .NET asks for the second too
_HOST: Final = re.compile(r"[0-9A-Za-z.\-\[\]:]{1,255}")


class SoapServer:
    """Answer requests to `/soap`; a `WireEndpoint`, safe to call from several threads."""

    def __init__(
        self,
        *,
        receiving: Receiving,
        spool: Spool,
        caps: ServerCaps | None = None,
        pull: PullOperations | None = None,
        signed: SignedCalls | None = None,
        demands_signature: Callable[[AgencyCode], bool] = lambda addressee: False,
        public_url: str = "http://127.0.0.1",
    ) -> None:
        """Take `demands_signature`: whether calls to an agency must be signed by WS-Security.

        `public_url` is where callers reach the node, for those that name no host themselves.
        """
        self._public_url = urlsplit(public_url)
        self._demands_signature = demands_signature
        self._signed = signed
        self._receiving = receiving
        self._spool = spool
        self._pull = pull
        self._caps = caps or ServerCaps()

    def __call__(self, request: WireRequest) -> WireReply:
        """Return the receipt, the WSDL or a fault; never raises."""
        incoming = Incoming(request, spool=self._spool, caps=self._caps, signed=self._signed)
        try:
            if request.method in ("GET", "HEAD"):
                return self._wsdl(request)
            return self._answer(incoming, request.peer)
        except LienThongError as error:
            _LOG.info("soap refused", extra={"code": error.code, "peer": request.peer})
            refused = error
        except Exception:  # noqa: BLE001 - the edge to HTTP: nothing of ours may leak
            _LOG.exception("soap broke", extra={"peer": request.peer})
            refused = InternalFault("expected an answer, got an error of ours")
        return fault_reply(
            refused,
            version=incoming.version,
            accept_language=request.headers.get("accept-language", ""),
        )

    def _wsdl(self, request: WireRequest) -> WireReply:
        """Serve the WSDL with the address that the caller itself used."""
        if request.query.lower() not in _WSDL_QUERIES:
            raise MethodNotAllowed("expected POST, or GET with ?wsdl")
        host = request.headers.get("host", "")
        forwarded = request.headers.get("x-forwarded-proto", "").lower()
        scheme = "https" if forwarded == "https" else "http"
        if not _HOST.fullmatch(host) or host.lower() == self._public_url.netloc.lower():
            scheme, host = self._public_url.scheme, self._public_url.netloc
        address = f"{scheme}://{host}{request.path}"
        return xml_reply(contract.wsdl_bytes(address), status=200, media_type="text/xml")

    def _answer(self, incoming: Incoming, peer: str) -> WireReply:
        call = incoming.call()
        try:
            if call.operation == "SendMessage":
                return self._send_message(call, peer)
            if self._pull is None:
                raise OperationNotOffered("expected an operation that this node offers")
            return self._pull.answer(call)
        finally:
            call.parts.drop()

    def _send_message(self, call: Call, peer: str) -> WireReply:
        """Protocol §4: the hints may answer early; size and digest hold before anything else."""
        hints, container = _read_send(call, self._caps)
        if call.caller is not None and not same_agency(call.caller, hints.from_agency):
            raise WsSecurityRefused("expected the sender's own signature", reason="agency")
        if call.caller is None and self._demands_signature(hints.to_agency):
            raise WsSecurityRefused("expected a signed call", reason="missing")
        stored = self._receiving.before(hints)
        if stored is not None:
            return _receipt_reply(call, stored, headers={"Connection": "close"})
        spooled = self._take(call, container, hints, peer)
        try:
            return _receipt_reply(call, self._receiving.receive(hints, spooled))
        finally:
            spooled.drop()

    def _take(self, call: Call, container: xop.Binary, hints: SendHints, peer: str) -> Spooled:
        if isinstance(container, xop.Inline):
            call.parts.end()
            content = (container.decoded(),)
            return spool_container(content, hints, spool=self._spool, peer=peer)
        early = call.parts.early(container.content_id)
        if early is not None:
            spooled = checked_container(early, hints)
        else:
            chunks = call.parts.next(container.content_id)
            spooled = spool_container(chunks, hints, spool=self._spool, peer=peer)
        try:
            call.parts.end()
        except LienThongError:
            spooled.drop()
            raise
        return spooled


def _read_send(call: Call, caps: ServerCaps) -> tuple[SendHints, xop.Binary]:
    """Map SendMessage by hand: the schema has fixed its children and their order."""
    sender, receiver, message_id, digest, size, container = (
        node.text or "" for node in call.message.content
    )
    hints = SendHints(
        from_agency=parse_agency_code(sender),
        to_agency=parse_agency_code(receiver),
        message_id=parse_message_id(message_id),
        container_sha256=parse_sha256(digest),
        size_bytes=int(size),
    )
    if hints.size_bytes > caps.container_bytes:
        raise BodyTooLarge(
            f"expected at most {caps.container_bytes} bytes, got {hints.size_bytes}",
            limit_bytes=caps.container_bytes,
        )
    return hints, call.binaries[container]


def _receipt_reply(
    call: Call, receipt: bytes, *, headers: Mapping[str, str] | None = None
) -> WireReply:
    content = (
        f'<lt:SendMessageResponse xmlns:lt="{contract.NAMESPACE}"><lt:Receipt>'.encode()
        + base64.b64encode(receipt)
        + b"</lt:Receipt></lt:SendMessageResponse>"
    )
    return xml_reply(
        call.envelope(content),
        status=200,
        media_type=call.message.version.media_type,
        headers=dict(headers or {}),
    )
