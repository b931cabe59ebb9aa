"""What a load balancer asks: does the process answer, and can it serve."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from dossier.errors import LienThongError
from portal.errors import status_of
from portal.pages import node_of


def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Say that the database answers and a directory is in force, or which of them is missing."""
    try:
        number = node_of(request).directory().number
    except LienThongError as error:
        status = max(status_of(error), 503)
        return HttpResponse(f"{error.code}\n", content_type="text/plain", status=status)
    return HttpResponse(f"ok directory={number}\n", content_type="text/plain")
