"""Errors of the REST interface as `application/problem+json` (RFC 9457), in two languages."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse

from dossier.errors import LienThongError
from dossier.texts import render_error
from portal.language import current_language

PREFIX: Final = "/api/"
_TYPE: Final = "application/problem+json; charset=utf-8"


def is_rest(request: HttpRequest) -> bool:
    """Tell whether a program asks, so that it gets no page."""
    return request.path.startswith(PREFIX)


def problem(
    error: LienThongError, *, status: HTTPStatus, faults: list[dict[str, str]] | None = None
) -> HttpResponse:
    """Return the problem: `code` is for programs, `title` and `detail` are for people."""
    language = current_language()
    sentence, hint = render_error(error, language)
    body: dict[str, object] = {
        "type": f"urn:lienthong:error:{error.code}",
        "title": sentence,
        "status": int(status),
        "code": error.code,
    }
    if hint:
        body["detail"] = hint
    if faults:
        body["faults"] = faults
    response = HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=_TYPE)
    response.headers["Content-Language"] = language.value
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="lienthong"'
    return response
