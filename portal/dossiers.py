"""Dossiers: open one, find one, see everything about one, take its evidence along."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from dossier.canonical import Json
from dossier.errors import LienThongError
from dossier.model import Actor, DossierPage, StartableProcedure, TaskState
from dossier.texts import render_error
from dossier.trail import explain, parse_trail
from exchange import export, submit
from exchange.queries import dossier_page, partners
from portal import pages, timeline
from portal.downloads import attachment
from portal.errors import status_of
from portal.language import current_language
from portal.pages import node_of

_SUBJECT_LENGTH = 500


def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask what a dossier needs to be opened, or open it."""
    if request.method != "POST":
        return _ask(request, actor)
    given = {name: request.POST.get(name, "") for name in ("procedure", "subject", "addressee")}
    procedure, _sign, agency = given["procedure"].partition("@")
    if not given["subject"].strip():
        return _ask(request, actor, given=given, fault=_("Enter the subject of the dossier."))
    try:
        opened = submit.submit(
            node_of(request),
            actor,
            procedure=procedure,
            agency=agency,
            subject=given["subject"],
            addressee=given["addressee"],
        )
    except LienThongError as error:
        return _ask(request, actor, given=given, error=error)
    messages.success(request, _("The dossier is open."))
    return HttpResponseRedirect(f"/dossiers/{opened}")


def _ask(
    request: HttpRequest,
    actor: Actor,
    *,
    given: dict[str, str] | None = None,
    fault: str = "",
    error: LienThongError | None = None,
) -> HttpResponse:
    choices = submit.startable(node_of(request), actor)
    sentence, hint = render_error(error, current_language()) if error else ("", None)
    context = {
        "procedures": choices,
        "addressees": _addressees(choices),
        "must_address": all(one.asks_addressee for one in choices),
        "given": given or {},
        "fault": fault,
        "sentence": sentence,
        "hint": hint,
        "subject_length": _SUBJECT_LENGTH,
    }
    status = status_of(error) if error else 400 if fault else 200
    return pages.show(request, "new_dossier.html", context, actor=actor, status=status)


def _addressees(choices: Sequence[StartableProcedure]) -> dict[str, object]:
    return {code: name for one in choices if one.asks_addressee for code, name in one.addressees}


def find(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the dossiers of a code."""
    code = request.GET.get("q", "").strip()[:64]
    found = dossier_page.find_by_code(node_of(request), actor, code) if code else []
    return pages.show(request, "dossiers.html", {"q": code, "found": found}, actor=actor)


def show(request: HttpRequest, actor: Actor, dossier: UUID) -> HttpResponse:
    """Show everything about one dossier."""
    here = node_of(request)
    page = dossier_page.dossier_page(here, actor, dossier)
    open_tasks = [task for task in page.tasks if task.state is TaskState.OPEN]
    people = {task.claimed_by for task in open_tasks} | {entry.actor for entry in page.timeline}
    people |= {entry.on_behalf_of for entry in page.timeline}
    waits = [one for one in page.outline if one.state == "active"]
    context = {
        "page": page,
        "dossier": page.dossier,
        "open_tasks": open_tasks,
        "waits": waits,
        "opinions": _counted(page),
        "is_processing": page.dossier.is_open and not open_tasks and not waits,
        "lines": timeline.lines(page),
        "trail": _explained(page.due_trail),
        "names": partners.names_of(here, {one for one in people if one}),
        "open_incidents": [one for one in page.incidents if one.resolved is None],
        "max_megabytes": here.settings.max_document_bytes // 1024**2,
    }
    return pages.show(request, "dossier.html", context, actor=actor)


def _counted(page: DossierPage) -> str:
    """Return how many of the consulted agencies have answered, such as 2/4."""
    answered = [one for one in page.consultations if one.answered is not None]
    return f"{len(answered)}/{len(page.consultations)}"


def _explained(trail: Json) -> list[str]:
    """Return why the date is what it is; nothing for a dossier without a deadline."""
    return explain(parse_trail(trail), lang=current_language()) if trail else []


def take_evidence(request: HttpRequest, actor: Actor, dossier: UUID) -> HttpResponse:
    """Send the evidence bundle of a dossier."""
    name, content = export.export_for(node_of(request), actor, dossier)
    return attachment(name, content, media_type="application/vnd.etsi.asic-e+zip")
