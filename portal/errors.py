"""Errors as pages: one table from families to HTTP, and the pages for what Django refuses.

The sentence a person reads comes from `dossier/texts`; nothing of the message for developers
leaves the server.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.template import loader

from dossier.errors import Conflict, Denied, LienThongError, Misconfigured, Rejected, Unavailable
from dossier.texts import render_error
from exchange import badfiles
from portal.language import current_language
from portal.problems import is_rest, problem

_FAMILIES: Final[tuple[tuple[type[LienThongError], HTTPStatus], ...]] = (
    (Rejected, HTTPStatus.BAD_REQUEST),
    (Denied, HTTPStatus.FORBIDDEN),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (Misconfigured, HTTPStatus.INTERNAL_SERVER_ERROR),
)
_NOT_FOUND: Final = ("_unknown", "row_missing")
_RETRY_SECONDS: Final = 30
_MEBIBYTE: Final = 1024**2


class PageUnknown(Rejected):
    """There is no page at this address."""

    code = "page_unknown"


class RequestRefused(Rejected):
    """The request is not one that a browser makes from our pages."""

    code = "request_refused"


class RequestTooLarge(Rejected):
    """The request brings more bytes than its page takes."""

    code = "request_too_large"


class FileMissing(Rejected):
    """The form was sent without its file."""

    code = "file_missing"


class LoginExpired(Denied):
    """The page's token is missing or old: the form was open too long, or is not ours."""

    code = "login_expired"


class PortalFailed(Misconfigured):
    """Something happened that nobody foresaw; the log has it."""

    code = "portal_failed"


def status_of(error: LienThongError) -> HTTPStatus:
    """Return the HTTP status of an error."""
    if error.code.endswith("_too_large"):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if error.code.endswith(_NOT_FOUND):
        return HTTPStatus.NOT_FOUND
    return next(
        (status for family, status in _FAMILIES if isinstance(error, family)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def answer(request: HttpRequest, error: LienThongError) -> HttpResponse:
    """Return the page of an error: what happened, and what to do now."""
    badfiles.note(error)
    status = status_of(error)
    if is_rest(request):
        return marked(problem(error, status=status), error)
    sentence, hint = render_error(error, current_language())
    page = loader.get_template("portal/error.html").render(
        {"sentence": sentence, "hint": hint, "code": error.code, "status": int(status)}, request
    )
    return marked(HttpResponse(page, status=status), error)


def marked(response: HttpResponse, error: LienThongError | None) -> HttpResponse:
    """Return the response, saying when to come again if the error passes by itself."""
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
    return response


def too_large(request: HttpRequest, *, limit: int) -> HttpResponse:
    """Return the refusal of a request that is too large, naming the limit."""
    error = RequestTooLarge("expected a smaller request", limit=limit // _MEBIBYTE)
    return answer(request, error)


# --- Named by portal.urls for what Django itself refuses ----------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django found unsound, such as one for a foreign host."""
    return _plain(request, RequestRefused("expected a sound request"))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django denied."""
    return answer(request, LoginExpired("expected a token of this session"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request for an address that is none."""
    return answer(request, PageUnknown("expected the address of a page"))


def failed(request: HttpRequest) -> HttpResponse:
    """Answer after an unforeseen error; needs neither database nor session."""
    return _plain(request, PortalFailed("expected no failure"))


def _plain(request: HttpRequest, error: LienThongError) -> HttpResponse:
    """Return a page that asks little of the request: its host or session may be the fault."""
    status = status_of(error)
    if is_rest(request):
        return problem(error, status=status)
    sentence, hint = render_error(error, current_language())
    page = loader.get_template("portal/error_plain.html").render(
        {"sentence": sentence, "hint": hint, "code": error.code, "status": int(status)}
    )
    return HttpResponse(page, status=status)
