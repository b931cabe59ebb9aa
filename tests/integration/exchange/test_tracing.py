"""Traces: one step of a dossier is one trace through portal, worker and the partner's endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from exchange import tracing
from storage import inbox, sql
from tests.builders.exchange import OneNode
from tests.builders.over_http import OverHttp, served


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Record every span of this process in memory."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(tracing, "_tracer", lambda: provider.get_tracer("lienthong"))
    yield exporter
    provider.shutdown()


def _by_id(spans: InMemorySpanExporter) -> dict[int, ReadableSpan]:
    return {one.context.span_id: one for one in spans.get_finished_spans() if one.context}


def test_one_trace_leads_from_the_page_to_the_partner_and_its_worker(
    one: OneNode, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(one) as endpoint:
        over = OverHttp(endpoint)
        monkeypatch.setattr(one.node, "sending", lambda _partner: over)
        with tracing.span("page"):
            one.send_letter()
    known = _by_id(spans)
    received = [span for span in known.values() if span.name == "receive"]
    assert received
    ways = [_way(span, known) for span in received]
    assert ["receive", "deliver", "advance", "page"] in ways
    assert all(span.parent is not None and span.parent.is_remote for span in received)
    placed = [_way(span, known) for span in known.values() if span.name == "correlate"]
    assert ["correlate", "receive", "deliver", "advance", "page"] in placed
    traced = {span.context.trace_id for span in known.values() if span.context}
    assert len(traced) == 1
    # The envelope names it too: a message that is fetched or dropped in has no HTTP header.
    (message,) = inbox.list_incoming(one.node.hosted_agencies())
    assert message.envelope.traceparent.split("-")[1] == f"{traced.pop():032x}"


def _way(span: ReadableSpan, known: dict[int, ReadableSpan]) -> list[str]:
    """Return the names from a span up to the first, each once in a row."""
    names: list[str] = []
    current: ReadableSpan | None = span
    while current is not None:
        if not names or names[-1] != current.name:
            names.append(current.name)
        current = known.get(current.parent.span_id) if current.parent else None
    return names


def test_no_span_holds_a_personal_value(one: OneNode, spans: InMemorySpanExporter) -> None:
    with tracing.span("page"):
        code = one.send_letter()
    said = "".join(span.to_json() for span in spans.get_finished_spans())
    assert "advance" in said
    assert code not in said
    for name in one.logins:
        assert name not in said


def test_without_a_collector_nothing_is_kept(one: OneNode) -> None:
    sql.execute("DELETE FROM trace_context")
    with tracing.span("page"):
        one.send_letter()
    assert not tracing.is_on()
    assert sql.the_row("SELECT COUNT(*) FROM trace_context") == (0,)


@pytest.mark.parametrize("header", ["", "00-zz-1-1", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_bad_header_begins_a_trace_of_its_own(spans: InMemorySpanExporter, header: str) -> None:
    with trace.use_span(trace.INVALID_SPAN):
        context = tracing._context(header)
    assert not trace.get_current_span(context).get_span_context().is_valid
