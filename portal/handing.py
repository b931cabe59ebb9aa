"""Work changes hands: delegate and escalate a task, absences, and the notices that tell of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from dossier.calendar import HERE
from dossier.errors import Rejected
from dossier.model import Actor
from dossier.texts import render_error
from exchange import absences, taskhand
from exchange.errors import AbsenceRefused
from exchange.queries import notices, partners
from portal import pages
from portal.errors import status_of
from portal.language import current_language
from portal.pages import node_of


def delegate(request: HttpRequest, actor: Actor, task: UUID) -> HttpResponse:
    """Give a task to a colleague."""
    taskhand.delegate(
        node_of(request),
        actor,
        task,
        to=request.POST.get("colleague", ""),
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, _("The task is with your colleague now."))
    return HttpResponseRedirect(f"/tasks/{task}")


def escalate(request: HttpRequest, actor: Actor, task: UUID) -> HttpResponse:
    """Put a task before the leaders."""
    taskhand.escalate(node_of(request), actor, task, reason=request.POST.get("reason", ""))
    messages.success(request, _("The leaders have been told; they may take the task."))
    return HttpResponseRedirect(f"/tasks/{task}")


def dismiss(request: HttpRequest, actor: Actor, notice: int) -> HttpResponse:
    """Let a notice go."""
    notices.dismiss(node_of(request), actor, notice)
    return HttpResponseRedirect("/desk#notices")


def show_absences(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show who is away and who stands in, and note an absence."""
    if request.method == "POST":
        try:
            _note(request, actor)
        except Rejected as error:
            return _absences(request, actor, error=error)
        messages.success(request, _("Noted. Work appears at the substitute at once."))
        return HttpResponseRedirect("/absences")
    return _absences(request, actor, error=None)


def end_absence(request: HttpRequest, actor: Actor, absence: int) -> HttpResponse:
    """End an absence."""
    absences.end(node_of(request), actor, absence)
    messages.success(request, _("The absence has ended."))
    return HttpResponseRedirect("/absences")


def _note(request: HttpRequest, actor: Actor) -> None:
    given = request.POST
    absences.note(
        node_of(request),
        actor,
        user=given.get("user", "") or actor.username,
        substitute=given.get("substitute", ""),
        agency=given.get("agency", ""),
        start=_instant(given.get("start", "")),
        end=_instant(given.get("end", "")),
    )


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=HERE)
    except ValueError as exc:
        raise AbsenceRefused("expected a local date and time") from exc


def _absences(request: HttpRequest, actor: Actor, *, error: Rejected | None) -> HttpResponse:
    page = absences.absences_page(node_of(request), actor)
    sentence, hint = render_error(error, current_language()) if error else ("", None)
    context = {
        "page": page,
        "given": request.POST,
        "sentence": sentence,
        "hint": hint,
        "names": partners.names_of(node_of(request), set(page.agencies)),
    }
    status = status_of(error) if error else 200
    return pages.show(request, "absences.html", context, actor=actor, status=status)
