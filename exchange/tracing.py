"""Follow one dossier's step through portal, worker and partner: OpenTelemetry, W3C trace context.

Work waits in the database between processes, so the context of a bell (which job, for which row)
is kept there with the row that it rings for, in the same commit. Between nodes it travels in the
envelope, and in the HTTP header `traceparent` for the request itself. Without LIENTHONG_TRACES_URL
nothing is recorded, kept or asked of the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import ProxyTracerProvider, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dossier.wire import WireEndpoint, WireReply, WireRequest
from exchange.errors import ExtraMissing
from exchange.settings import Settings
from storage import traces

_HEADER: Final = "traceparent"
_FLUSH_MILLISECONDS: Final = 500
_EXPORT_SECONDS: Final = 2
_propagator: Final = TraceContextTextMapPropagator()


def configure(here: Settings) -> None:
    """Send this process's traces where the settings say; raise `ExtraMissing`."""
    if not here.traces_url or is_on():
        return
    try:
        # Its packages are installed only where traces are wanted.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as exc:
        raise ExtraMissing("expected the packages of an extra, got none", extra="traces") from exc
    named = {"service.name": "lienthong", "service.instance.id": here.node or here.home.name}
    provider = TracerProvider(resource=Resource(named))
    exporter = OTLPSpanExporter(endpoint=here.traces_url, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def is_on() -> bool:
    """Tell whether anybody records spans in this process."""
    return not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)


def flush() -> None:
    """Send what was recorded, before a process of one job ends."""
    provider: Any = trace.get_tracer_provider()
    if is_on() and hasattr(provider, "force_flush"):
        provider.force_flush(_FLUSH_MILLISECONDS)


def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, **attributes: str | int
) -> AbstractContextManager[object]:
    """Record what happens inside as a child of what is being recorded; never a personal value."""
    if not is_on():
        return nullcontext()
    return _tracer().start_as_current_span(name, kind=kind, attributes=attributes)


@contextmanager
def continued(
    job: str, identifier: str, *, since: datetime | None = None, otherwise: str = ""
) -> Iterator[None]:
    """Record the work on a row as a child of what rang for it, or of the trace `otherwise`."""
    parent = (traces.of(job, identifier) or otherwise) if is_on() else ""
    if not parent:
        yield
        return
    started = int(since.timestamp() * 1e9) if since else None
    with _tracer().start_as_current_span(
        job, context=_context(parent), kind=SpanKind.CONSUMER, start_time=started
    ):
        yield


def remember(job: str, identifier: str) -> None:
    """Keep what is being recorded with the row that a bell rings for, in this transaction."""
    if is_on() and (current := traceparent()):
        traces.keep(job, identifier, current)


def traceparent() -> str:
    """Return the header of what is being recorded; empty when nothing is."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get(_HEADER, "")


def traced(endpoint: WireEndpoint, name: str) -> WireEndpoint:
    """Return the endpoint, recording each request as a child of what the caller records."""

    def answer(request: WireRequest) -> WireReply:
        if not is_on():
            return endpoint(request)
        caller = _context(request.headers.get(_HEADER, ""))
        with _tracer().start_as_current_span(name, context=caller, kind=SpanKind.SERVER):
            return endpoint(request)

    return answer


def _context(parent: str) -> Context:
    return _propagator.extract({_HEADER: parent}, context=Context())


def _tracer() -> trace.Tracer:
    return trace.get_tracer("lienthong")
