"""The short way of reading an envelope says what the long one says, or nothing."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier import envelope as module
from dossier.envelope import (
    Action,
    Assurance,
    Contract,
    Envelope,
    FileKind,
    InReplyTo,
    ManifestEntry,
    Urgency,
    parse_envelope,
    write_envelope,
)
from dossier.errors import LienThongError
from dossier.ids import AgencyCode, ConversationId, MessageId, Sha256

ISSUED = datetime(2026, 3, 2, 2, tzinfo=UTC)
ID = MessageId(f"abcdef012345-{'a' * 32}-1-000.00.00.H08")
DIGEST = Sha256("b" * 64)
SMALL = Envelope(
    message_id=ID,
    from_agency=AgencyCode("000.00.00.H28"),
    to_agency=AgencyCode("000.00.00.H08"),
    conversation_id=ConversationId(str(uuid.UUID(int=7))),
    dossier_code="000.00.00.H28-261123-9001",
    contract=Contract(procedure="official-letter", version="1.0.0", sha256=DIGEST),
    message_type="letter",
    subject="V/v học tập kinh nghiệm",
    urgency=Urgency.NORMAL,
    issued=ISSUED,
    expires=ISSUED + timedelta(days=3),
    assurance=Assurance.SEALED,
    manifest=(
        ManifestEntry(
            name="Công văn.pdf",
            media_type="application/pdf",
            size_bytes=12,
            sha256=DIGEST,
            kind=FileKind.DOCUMENT,
            document_kind="letter",
        ),
        ManifestEntry(
            name="payload.json",
            media_type="application/json",
            size_bytes=2,
            sha256=DIGEST,
            kind=FileKind.PAYLOAD,
        ),
    ),
)
FULL = replace(
    SMALL,
    in_reply_to=InReplyTo(message_id=ID, container_sha256=DIGEST),
    supersedes=ID,
    action=Action.UPDATE,
    document_number="12/UBND-NC",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
WRITTEN = st.sampled_from([write_envelope(SMALL), write_envelope(FULL)])
WORDS = st.sampled_from(
    [b"&amp;", b"&#xD;", b"\r", b"\n", b"<!---->", b" ", b"\x00", b"\x1f", b"\xef\xbf\xbf", b'"']
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=3) | WORDS))


def long_way(content: bytes) -> Envelope | None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_PLAIN_BYTES", 0)
        try:
            return parse_envelope(content)
        except LienThongError:
            return None


@pytest.mark.parametrize("one", [SMALL, FULL])
def test_an_envelope_without_escapes_goes_the_short_way(one: Envelope) -> None:
    assert module._read_plain(write_envelope(one)) == one


def test_one_with_escapes_goes_the_long_way() -> None:
    escaped = replace(SMALL, subject="Sở A & Sở B <khẩn>")
    assert module._read_plain(write_envelope(escaped)) is None
    assert parse_envelope(write_envelope(escaped)) == escaped


@given(written=WRITTEN, edits=EDITS)
def test_both_ways_read_the_same(written: bytes, edits: list[tuple[float, int, bytes]]) -> None:
    for where, removed, inserted in edits:
        at = int(where * len(written))
        written = written[:at] + inserted + written[at + removed :]

    plain = module._read_plain(written)

    assert plain is None or plain == long_way(written)
