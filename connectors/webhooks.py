"""Notify foreign systems of events: signed, repeatable, to public or listed addresses only.

The outbox decides when to try again; a repetition has the same id and the same body, so that the
receiver can tell it, and a signature of its own time. docs/formats/webhook.md has the bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from connectors.errors import PartnerUnavailable, WebhookRefused, WebhookSignatureRefused
from connectors.http import HttpClient
from dossier import canonical
from dossier.clock import Clock

SIGNATURE_HEADER: Final = "LienThong-Signature"
ID_HEADER: Final = "LienThong-Event-Id"
KIND_HEADER: Final = "LienThong-Event"
LONGEST_AGE: Final = timedelta(minutes=5)

_SIGNATURE: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_BUSY: Final = frozenset({404, 408, 425, 429})  # what may pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriber:
    """Who is notified, and the secret that both share."""

    url: str
    secret: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened; `content` holds codes and states, never personal data."""

    id: UUID  # the same in every repetition
    kind: str  # e.g. `dossier.status`
    content: Mapping[str, canonical.Json]


class WebhookSender:
    """Sends events; give it an `HttpClient` with `public_address` as its resolver."""

    def __init__(self, *, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    def send(self, subscriber: Subscriber, event: Event) -> None:
        """Send once.

        Raises `WebhookRefused` and `EndpointForbidden` where repeating is useless, else
        `PartnerUnavailable`.
        """
        body = canonical.dump({"id": str(event.id), "kind": event.kind, **event.content})
        headers = {
            "Content-Type": "application/json",
            ID_HEADER: str(event.id),
            KIND_HEADER: event.kind,
            SIGNATURE_HEADER: sign_body(subscriber.secret, body, at=self._clock.now()),
        }
        with self._http.post(subscriber.url, body=body, headers=headers) as reply:
            status = reply.status
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in _BUSY:
            raise WebhookRefused(f"expected 2xx, got {status}", status=status)
        raise PartnerUnavailable(f"expected 2xx, got {status}", status=status)


def sign_body(secret: bytes, body: bytes, *, at: datetime) -> str:
    """Return the signature header for a body sent at an instant."""
    moment = int(at.timestamp())
    return f"t={moment},v1={_mac(secret, moment, body)}"


def check_body(secret: bytes, body: bytes, signature: str, *, at: datetime) -> None:
    """Check a received body as a subscriber should; raise `WebhookSignatureRefused`."""
    shaped = _SIGNATURE.fullmatch(signature)
    if shaped is None:
        raise WebhookSignatureRefused("expected t=…,v1=…", reason="shape")
    moment = int(shaped.group(1))
    if not hmac.compare_digest(shaped.group(2), _mac(secret, moment, body)):
        raise WebhookSignatureRefused("expected the HMAC of time and body", reason="hmac")
    if abs(at - datetime.fromtimestamp(moment, UTC)) > LONGEST_AGE:
        raise WebhookSignatureRefused("expected a notification of now", reason="time")


def _mac(secret: bytes, moment: int, body: bytes) -> str:
    return hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
