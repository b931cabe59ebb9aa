"""Record each page as a span: the pattern of its address, never the address itself."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from opentelemetry.trace import SpanKind, get_current_span

from exchange import tracing

Answering = Callable[[HttpRequest], HttpResponse]


def traced(answering: Answering) -> Answering:
    """Return Django's handler, recorded: its middleware protocol."""

    def answer(request: HttpRequest) -> HttpResponse:
        with tracing.span("page", kind=SpanKind.SERVER, **{"http.method": request.method or ""}):
            response = answering(request)
            match = request.resolver_match
            if tracing.is_on():
                get_current_span().set_attribute("http.route", match.route if match else "")
                get_current_span().set_attribute("http.status_code", response.status_code)
            return response

    return answer
