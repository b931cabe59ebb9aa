"""The public page where any signed file is dropped and judged."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from dossier.report import ReportPage
from exchange.queries.verification import judge_upload
from portal import pages
from portal.documents import content_of, uploaded
from portal.errors import FileMissing
from portal.language import current_language
from portal.pages import node_of

_NAME_LENGTH = 200


def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a file, or show what a verification of it found."""
    if request.method != "POST":
        return _page(request)
    limit = node_of(request).settings.max_container_bytes
    try:
        file = uploaded(request, "file")
    except FileMissing:
        return _page(request, fault=_("Choose a file first."))
    found = judge_upload(
        node_of(request),
        content_of(file, limit_bytes=limit),
        name=(file.name or "")[:_NAME_LENGTH],
        language=current_language(),
    )
    return _page(request, report=found)


def _page(
    request: HttpRequest, *, report: ReportPage | None = None, fault: str = ""
) -> HttpResponse:
    context = {
        "report": report,
        "fault": fault,
        "max_megabytes": node_of(request).settings.max_container_bytes // 1024**2,
    }
    actor = pages.actor_of(request)
    return pages.show(request, "verify.html", context, actor=actor, status=400 if fault else 200)
