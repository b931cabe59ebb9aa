"""Deliver containers to a partner's SOAP service: one call by MTOM, one receipt back."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from connectors import xroad
from connectors.errors import InlineTooLarge, PartnerUnavailable
from connectors.http import Asked, HttpClient
from connectors.mtom import MtomBody, Progress, no_progress
from connectors.soap_calls import ClientCaps, call_headers, no_answer, read_result, write_call
from connectors.soap_envelope import SoapMessage, Version, parse_envelope
from connectors.wssecurity import TokenSigner, sign_message
from connectors.xroad import Route
from dossier.clock import Clock, SystemClock
from dossier.safexml import Caps
from dossier.wire import SendHints

INLINE_BYTES: Final = 10_000_000  # of an envelope with its content in it
_OVERHEAD_BYTES: Final = 64 * 1024

Signing = Callable[[SendHints], TokenSigner | None]
"""Returns what signs a call by WS-Security; None where the addressee does not demand it."""

Routing = Callable[[str, SendHints], Route | None]
"""Returns the way through X-Road for a message to an endpoint; None where it goes directly."""


class SoapClient:
    """A `SendingAhead` over SOAP 1.1 with MTOM; one per process."""

    def __init__(
        self,
        *,
        http: HttpClient,
        caps: ClientCaps | None = None,
        progress: Progress = no_progress,
        routing: Routing | None = None,
        signing: Signing | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._signing = signing
        self._clock = clock or SystemClock()
        self._routing = routing
        self._http = http
        self._caps = caps or ClientCaps(reply_bytes=1024 * 1024)
        self._progress = progress

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        """Return the receipt's bytes as received, unverified.

        Raises `EndpointForbidden` and `PartnerRefused` where no retry helps, else
        `PartnerUnavailable`: the same bytes are to be sent again.
        """
        return self.call(endpoint, hints, container).receipt()

    def call(self, endpoint: str, hints: SendHints, container: bytes | Path) -> SoapCall:
        """Send the container and return before the answer comes; raise as `send` does."""
        signer = self._signing(hints) if self._signing else None
        if signer and hints.size_bytes > INLINE_BYTES * 3 // 4 - _OVERHEAD_BYTES:
            raise InlineTooLarge(
                "expected a container that can be signed", limit_bytes=INLINE_BYTES
            )
        placeholder = _content(container) if signer else secrets.token_bytes(24)
        route = self._routing(endpoint, hints) if self._routing else None
        envelope = write_call(
            "SendMessage",
            blocks=xroad.write_headers(route) if route else (),
            From=hints.from_agency,
            To=hints.to_agency,
            MessageId=hints.message_id,
            ContainerSha256=hints.container_sha256,
            Size=hints.size_bytes,
            Container=placeholder,
        )
        if signer:
            asked = self._ask_signed(endpoint, envelope, signer)
        else:
            asked = self._ask(endpoint, envelope, placeholder, container)
        return SoapCall(asked, caps=self._caps, route=route)

    def _ask(
        self, endpoint: str, envelope: bytes, placeholder: bytes, container: bytes | Path
    ) -> Asked:
        try:
            body = MtomBody(
                envelope,
                placeholder=base64.b64encode(placeholder),
                content=container,
                progress=self._progress,
            )
        except OSError as exc:
            raise PartnerUnavailable("expected a readable container") from exc
        headers = call_headers("SendMessage", body.content_type)
        with body:
            return self._http.ask("POST", endpoint, body=body, headers=headers)

    def _ask_signed(self, endpoint: str, envelope: bytes, signer: TokenSigner) -> Asked:
        """Send one signed envelope: what is signed is the message with its content in it."""
        limits = Caps(size_bytes=INLINE_BYTES, depth=32, elements=2_000)
        message = parse_envelope(envelope, expected=Version.SOAP11, caps=limits)
        body = sign_message(message, signer=signer, at=self._clock.now())
        return self._http.ask("POST", endpoint, body=body, headers=call_headers("SendMessage"))


class SoapCall:
    """A `Called` over SOAP."""

    def __init__(self, asked: Asked, *, caps: ClientCaps, route: Route | None) -> None:
        self._asked = asked
        self._caps = caps
        self._route = route

    def receipt(self) -> bytes:
        """Return the receipt's bytes as received, unverified; raise as `SoapClient.send` does."""
        with self._asked.reply() as reply:
            receipt = read_result(reply, "SendMessage", caps=self._caps, check=self._check)
            if not isinstance(receipt, bytes) or not receipt:
                raise no_answer(reply.status)
            return receipt

    def drop(self) -> None:
        """Let go of the answer."""
        self._asked.drop()

    def _check(self, message: SoapMessage) -> None:
        if self._route:
            xroad.check_reply(message, self._route)


def _content(container: bytes | Path) -> bytes:
    if isinstance(container, bytes):
        return container
    try:
        return container.read_bytes()
    except OSError as exc:
        raise PartnerUnavailable("expected a readable container") from exc
