"""Logging in and out, and the choice of language."""

from __future__ import annotations

from typing import Final

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme

from dossier.errors import Denied
from dossier.texts import Language, render_error
from exchange import accounts
from portal import pages
from portal.errors import status_of
from portal.language import current_language
from portal.pages import node_of

_YEAR_SECONDS: Final = 365 * 24 * 3600
_DESK: Final = "/desk"


def log_in(request: HttpRequest) -> HttpResponse:
    """Show the login form, or start a session."""
    if request.method != "POST":
        if pages.actor_of(request) is not None:
            return HttpResponseRedirect(_safe_next(request, request.GET.get("next", "")))
        return _form(request, next_page=request.GET.get("next", ""))
    username = request.POST.get("username", "")
    next_page = request.POST.get("next", "")
    try:
        actor = accounts.log_in(
            node_of(request),
            username=username,
            password=request.POST.get("password", ""),
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except Denied as error:
        return _form(request, next_page=next_page, username=username, error=error)
    pages.remember(request, actor)
    response = HttpResponseRedirect(_safe_next(request, next_page))
    return _speaking(response, actor.language)


def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    request.session.flush()
    return HttpResponseRedirect("/login")


def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the language, in the account too, and go back to the page."""
    wanted = request.POST.get("language", "")
    language = Language.EN if wanted == Language.EN.value else Language.VI
    actor = pages.actor_of(request)
    if actor is not None and actor.language != language.value:
        accounts.change_language(actor, language.value)
    back = _safe_next(request, request.POST.get("next", ""))
    return _speaking(HttpResponseRedirect(back), language.value)


def _form(
    request: HttpRequest, *, next_page: str, username: str = "", error: Denied | None = None
) -> HttpResponse:
    sentence, hint = render_error(error, current_language()) if error else ("", None)
    context = {"username": username, "next": next_page, "sentence": sentence, "hint": hint}
    status = status_of(error) if error else 200
    return pages.show(request, "login.html", context, actor=None, status=status)


def _speaking(response: HttpResponse, language: str) -> HttpResponse:
    translation.activate(language)
    response.set_cookie(
        django_settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=_YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=django_settings.SESSION_COOKIE_SECURE,
    )
    return response


def _safe_next(request: HttpRequest, wanted: str) -> str:
    """Return the page asked for if it is one of ours, else the desk."""
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None, require_https=request.is_secure()
    )
    return wanted if is_ours else _DESK
