"""Deliver outgoing messages: seal once, send the same bytes, verify the receipt, record it.

The call to the partner runs outside any transaction, under a lease with a random token; only the
holder of the token may write down what came of it (worker.md §5).
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from dossier.errors import LienThongError, Rejected
from dossier.ids import Sha256
from dossier.model import MessageState
from dossier.receipt import Outcome, Receipt, parse_receipt
from exchange import badfiles, chronicle, circuit, tracing
from exchange.callsahead import CallsAhead, call, demand_time, hints_of, partner_of
from exchange.chronicle import Event
from exchange.drained import Drained
from exchange.edxml.post import PostOffice
from exchange.errors import (
    ReceiptInvalid,
)
from exchange.node import Node
from signing.log.leaf import LeafKind
from signing.purpose import Purpose
from signing.verify import open_xml
from storage import incidents, outbox, outbox_leases
from storage.outbox import Outgoing
from storage.transactions import transaction

# Longer than a call to a partner that takes the connection and never answers.
LEASE: Final = timedelta(seconds=150)
_LEASE_TO_SPARE_SECONDS: Final = 10.0  # what is left then is still longer than that call
_SLOWEST_BYTES_A_SECOND: Final = 64 * 1024
_SMALL_BYTES: Final = 1024 * 1024
_BATCH: Final = 16
_JITTER: Final = random.SystemRandom()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A receipt that has been verified for exactly one message."""

    receipt: Receipt
    content: bytes


def drain_outbox(node: Node, *, budget: timedelta) -> Drained:
    """Work off due messages until none is left or the budget is spent."""
    token = uuid.uuid4().hex
    limit = time.monotonic() + budget.total_seconds()
    done = 0
    with CallsAhead(node, token=token) as ahead:
        while time.monotonic() < limit:
            taken = _deliver_some(node, ahead, token=token)
            if not taken:
                return Drained(done=done, more=False)
            done += taken
    return Drained(done=done, more=True)


def _deliver_some(node: Node, ahead: CallsAhead, *, token: str) -> int:
    at = node.now()
    lanes = circuit.look(node, at=at)
    claimed = outbox.claim_due(
        owner=node.owner,
        token=token,
        lease=LEASE,
        limit=_BATCH,
        at=at,
        blocked=lanes.blocked,
    )
    return _deliver_batch(node, claimed, lanes, ahead, token=token)


def _deliver_batch(
    node: Node,
    claimed: Sequence[Outgoing],
    lanes: circuit.Lanes,
    ahead: CallsAhead,
    *,
    token: str,
) -> int:
    """Try one message after the other; a partner that failed is left in peace until later."""
    done = 0
    resting: set[str] = set()
    lease = _Lease(node, token=token)
    for place, outgoing in enumerate(claimed):
        partner, at = outgoing.message.partner, node.now()
        with node.answering():
            ahead.start(claimed[place:])
            lease.keep()
            is_called = outgoing.message.id in ahead
            if partner in resting and at < outgoing.expires and not is_called:
                wait = timedelta(seconds=node.settings.delivery_base_seconds)
                outbox_leases.give_back(outgoing.message.id, token=token, at=at + wait)
                continue
            with tracing.continued("deliver", str(outgoing.message.id)):
                error = deliver(node, outgoing, token=token, ahead=ahead)
        lease.keep()
        done += 1
        ahead.note(partner, is_there=error is None)
        if partner in lanes.troubled and circuit.has_answered(error):
            circuit.note_answer(partner, at=node.now())
        elif error is not None and circuit.note_failure(node, partner, error, at=node.now()):
            resting.add(partner)
    return done


class _Lease:
    """The lease of a batch, prolonged while its messages are worked off."""

    def __init__(self, node: Node, *, token: str) -> None:
        self._node = node
        self._token = token
        self._since = time.monotonic()

    def keep(self) -> None:
        """Begin it anew when too little is left for a call to a silent partner."""
        if time.monotonic() - self._since > _LEASE_TO_SPARE_SECONDS:
            outbox_leases.extend(token=self._token, until=self._node.now() + LEASE)
            self._since = time.monotonic()


def deliver(
    node: Node, outgoing: Outgoing, *, token: str, ahead: CallsAhead
) -> LienThongError | None:
    """Make one attempt for one claimed message, record what came of it, and return what failed.

    It may be sealed and its call under way already: `ahead` has them then.
    """
    started = node.now()
    clock = time.monotonic()
    endpoint = ""

    def attempt(error: str) -> outbox.Attempt:
        return outbox.Attempt(
            message=outgoing.message.id,
            number=outgoing.message.attempts,
            started=started,
            took_ms=int((time.monotonic() - clock) * 1000),
            error=error,
            endpoint=endpoint,
        )

    try:
        demand_time(node, outgoing, at=started)
        partner = partner_of(node, outgoing, at=started)
        endpoint = partner.endpoint
        container, size = ahead.take_sealed(outgoing)
        if partner.takes_letters:
            PostOffice(node).hand_over(outbox.get(outgoing.message.id), partner, token=token)
            return None
        if partner.fetches:
            _wait_for_fetch(outgoing, token=token)
            return None
        if size > _SMALL_BYTES:
            slowest = timedelta(seconds=size / _SLOWEST_BYTES_A_SECOND)
            outbox_leases.extend(token=token, until=started + LEASE + slowest)
        answer = _send(node, outgoing, endpoint, container, size, ahead)
        record_answer(node, outgoing, answer, token=token, attempt=attempt(""))
    except LienThongError as exc:
        badfiles.note(exc)
        with transaction():
            _record_failure(node, outgoing, exc, token=token)
            outbox.add_attempt(attempt(exc.code))
        return exc
    return None


def verify_receipt(node: Node, outgoing: Outgoing, content: bytes, *, container: Sha256) -> Answer:
    """Return the receipt if To's seal is on it and it speaks of this message and these bytes.

    Raises `ReceiptInvalid`: an answer that does not verify is no answer.
    """
    at = node.now()
    try:
        opened = open_xml(content, trust=node.trust(), at=at, purposes=frozenset({Purpose.SEAL}))
        receipt = parse_receipt(opened.content)
    except Rejected as exc:
        raise ReceiptInvalid(f"expected a sealed receipt: {exc.message}") from exc
    message = outgoing.message
    directory = node.directory()
    owner = directory.seal_owner(opened.signature.certificate or b"", at=at)
    if owner is None or not directory.speaks_for(owner, message.partner, at=at):
        raise ReceiptInvalid("expected the seal of the addressee on the receipt")
    spoken_of = (receipt.message_id, receipt.from_agency, receipt.to_agency)
    if spoken_of != (message.message_id, message.agency, message.partner):
        raise ReceiptInvalid("expected a receipt of this message")
    if receipt.container_sha256 != container:
        raise ReceiptInvalid("expected a receipt over the bytes that were sent")
    return Answer(receipt=receipt, content=content)


def _wait_for_fetch(outgoing: Outgoing, *, token: str) -> None:
    # The row comes due again at its expiry: what was not fetched by then is parked, not lost.
    with transaction():
        outbox.retry(outgoing.message.id, token=token, at=outgoing.expires, error="")


def _send(
    node: Node,
    outgoing: Outgoing,
    endpoint: str,
    container: Sha256,
    size: int,
    ahead: CallsAhead,
) -> Answer:
    called = ahead.take(outgoing.message.id)
    if called is not None:
        content = called.receipt()
    else:
        hints = hints_of(outgoing, container, size)
        content = call(node, node.sending(outgoing.message.partner), endpoint, hints)
    return verify_receipt(node, outgoing, content, container=container)


def record_answer(
    node: Node,
    outgoing: Outgoing,
    answer: Answer,
    *,
    token: str,
    attempt: outbox.Attempt | None = None,
) -> None:
    """Write down what the verified receipt says; only the holder of the token may.

    The attempt that brought it is kept in the same commit, whoever holds the token.
    """
    receipt = answer.receipt
    accepted = receipt.outcome is Outcome.ACCEPTED
    stored = node.blobs.put(answer.content)
    with transaction():
        if attempt is not None:
            outbox.add_attempt(attempt)
        marked = outbox.mark_answered(
            outgoing.message.id,
            token=token,
            state=MessageState.SENT if accepted else MessageState.REFUSED,
            receipt_sha256=stored,
            outcome=receipt.outcome.value,
            code=receipt.code,
            received=receipt.received,
        )
        if not marked:
            return
        _note(node, outgoing, "message_sent" if accepted else "message_refused", receipt, stored)
        if not accepted:
            _open_incident(node, outgoing, code=receipt.code)


def _record_failure(node: Node, outgoing: Outgoing, error: LienThongError, *, token: str) -> None:
    now = node.now()
    attempts = outgoing.message.attempts
    last = attempts >= node.settings.delivery_attempts or now >= outgoing.expires
    with transaction():
        if last:
            if outbox.park(outgoing.message.id, token=token, error=error.code):
                _note(node, outgoing, "message_parked", None, None)
                _open_incident(node, outgoing, code=error.code)
            return
        wait = backoff(
            attempts,
            first=timedelta(seconds=node.settings.delivery_base_seconds),
            longest=timedelta(seconds=node.settings.delivery_cap_seconds),
        )
        outbox.retry(outgoing.message.id, token=token, at=now + wait, error=error.code)


def backoff(attempts: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Return how long to wait after that many attempts: doubling, capped, with jitter."""
    doubled: timedelta = min(longest, first * (1 << min(attempts - 1, 16)))
    return doubled + doubled * (_JITTER.random() * 0.2)


def _open_incident(node: Node, outgoing: Outgoing, *, code: str) -> None:
    incidents.open_incident(
        incidents.NewIncident(
            code=code,
            parameters={"to": outgoing.message.partner, "type": outgoing.message.message_type},
            opened=node.now(),
            dossier=outgoing.message.dossier,
            instance=outgoing.instance,
            message=outgoing.message.id,
            ref=outgoing.ref,
        )
    )


def _note(
    node: Node,
    outgoing: Outgoing,
    kind: str,
    receipt: Receipt | None,
    stored: Sha256 | None,
) -> None:
    if outgoing.message.dossier is None:
        return
    parameters = {
        "message_id": outgoing.message.message_id,
        "to": outgoing.message.partner,
        "type": outgoing.message.message_type,
    }
    if receipt is not None and stored is not None:
        parameters |= {
            "container": receipt.container_sha256,
            "receipt": stored,
            "code": receipt.code,
        }
    chronicle.write(
        [
            Event(
                dossier=outgoing.message.dossier,
                at=node.now(),
                kind=kind,
                leaf=LeafKind.RECEIPT if receipt is not None else LeafKind.MESSAGE,
                instance=outgoing.instance,
                parameters=parameters,
            )
        ]
    )
