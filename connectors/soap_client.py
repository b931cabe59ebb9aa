"""Deliver containers to a partner's SOAP service: one call by MTOM, one receipt back."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from pathlib import Path

from connectors import xroad
from connectors.errors import PartnerUnavailable
from connectors.http import HttpClient
from connectors.mtom import MtomBody, Progress, no_progress
from connectors.soap_calls import ClientCaps, call_headers, no_answer, read_result, write_call
from connectors.xroad import Route
from dossier.wire import SendHints

Routing = Callable[[str, SendHints], Route | None]
"""Returns the way through X-Road for a message to an endpoint; None where it goes directly."""


class SoapClient:
    """A `Sending` over SOAP 1.1 with MTOM; one per process."""

    def __init__(
        self,
        *,
        http: HttpClient,
        caps: ClientCaps | None = None,
        progress: Progress = no_progress,
        routing: Routing | None = None,
    ) -> None:
        self._routing = routing
        self._http = http
        self._caps = caps or ClientCaps(reply_bytes=1024 * 1024)
        self._progress = progress

    def send(self, endpoint: str, hints: SendHints, container: Path) -> bytes:
        """Return the receipt's bytes as received, unverified.

        Raises `EndpointForbidden` and `PartnerRefused` where no retry helps, else
        `PartnerUnavailable`: the same bytes are to be sent again.
        """
        placeholder = secrets.token_bytes(24)
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
        try:
            body = MtomBody(
                envelope,
                placeholder=base64.b64encode(placeholder),
                file=container,
                progress=self._progress,
            )
        except OSError as exc:
            raise PartnerUnavailable("expected a readable container") from exc
        headers = call_headers("SendMessage", body.content_type)
        with body, self._http.post(endpoint, body=body, headers=headers) as reply:
            receipt = read_result(
                reply,
                "SendMessage",
                caps=self._caps,
                check=lambda message: xroad.check_reply(message, route) if route else None,
            )
            if not isinstance(receipt, bytes) or not receipt:
                raise no_answer(reply.status)
            return receipt
