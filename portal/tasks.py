"""Tasks: the form of one step, claim and give back, complete."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from dossier.errors import Conflict, Denied, LienThongError, Rejected, Unavailable
from dossier.form import FieldKind
from dossier.model import Actor, TaskPage
from dossier.rule_errors import FormRefused
from dossier.texts import render, render_error
from dossier.trail import explain, parse_trail
from exchange import attach, taskwork
from exchange.queries import partners
from exchange.queries.task_page import task_page
from portal import pages
from portal.controls import controls
from portal.documents import content_of
from portal.errors import marked, status_of
from portal.language import current_language
from portal.pages import node_of


def show(request: HttpRequest, actor: Actor, task: UUID) -> HttpResponse:
    """Show what is to be decided, with the documents beside the form."""
    return _form(request, actor, task_page(node_of(request), actor, task), given=None)


def claim(request: HttpRequest, actor: Actor, task: UUID) -> HttpResponse:
    """Take a task for oneself."""
    taskwork.claim(node_of(request), actor, task)
    messages.success(request, _("You hold this task now."))
    return HttpResponseRedirect(f"/tasks/{task}")


def release(request: HttpRequest, actor: Actor, task: UUID) -> HttpResponse:
    """Give a task back to its unit."""
    taskwork.release(node_of(request), actor, task)
    messages.success(request, _("The task is free for the unit again."))
    return HttpResponseRedirect(f"/tasks/{task}")


def complete(request: HttpRequest, actor: Actor, task: UUID) -> HttpResponse:
    """Complete a task with what its form says; on a refusal show what was typed, and why."""
    page = task_page(node_of(request), actor, task)
    given = {name: str(value) for name, value in request.POST.items()}
    try:
        given |= _kept_files(request, actor, page)
        taskwork.complete(
            node_of(request), actor, task, submitted=given, pin=request.POST.get("pin", "")
        )
    except (Rejected, Denied, Conflict, Unavailable) as error:
        if not page.may_complete and not isinstance(error, Conflict):
            raise
        # The world may have moved, and files of the form were kept; a database that does not
        # answer is not asked again.
        if not isinstance(error, Unavailable):
            page = task_page(node_of(request), actor, task)
        return _form(request, actor, page, given=given, error=error)
    messages.success(request, _("Done. The dossier moves on."))
    return HttpResponseRedirect(f"/dossiers/{page.dossier.id}")


def _kept_files(request: HttpRequest, actor: Actor, page: TaskPage) -> dict[str, str]:
    """Store the files of the form; a document field's value is the id of its document.

    An id that came without a file counts only if it is a document of this dossier: one that was
    kept when the form was refused before.
    """
    own = {str(one.id) for one in page.documents}
    kept: dict[str, str] = {}
    for field in page.fields:
        if field.kind is not FieldKind.DOCUMENT:
            continue
        file = request.FILES.get(field.name)
        if file is not None and page.may_complete:
            document = attach.upload(
                node_of(request),
                actor,
                page.dossier.id,
                name=file.name or "",
                kind=field.document_kind,
                content=content_of(file, limit_bytes=node_of(request).settings.max_document_bytes),
            )
            kept[field.name] = str(document.id)
        else:
            known = request.POST.get(field.name, "")
            kept[field.name] = known if known in own else ""
    return kept


def _form(
    request: HttpRequest,
    actor: Actor,
    page: TaskPage,
    *,
    given: Mapping[str, str] | None,
    error: LienThongError | None = None,
) -> HttpResponse:
    faults = _faults(error)
    sentence, hint = render_error(error, current_language()) if error else ("", None)
    trail = page.task.due_trail
    context = {
        "page": page,
        "task": page.task,
        "dossier": page.dossier,
        "controls": controls(page, given=given, faults=faults),
        "pin_fault": faults.get("pin", ""),
        "sentence": sentence,
        "hint": hint,
        "names": partners.names_of(node_of(request), {page.task.claimed_by}),
        "is_mine": page.task.claimed_by == actor.username,
        "read": _to_read(page),
        "trail": explain(parse_trail(trail), lang=current_language()) if trail else [],
        "max_megabytes": node_of(request).settings.max_document_bytes // 1024**2,
    }
    status = status_of(error) if error else 200
    return marked(pages.show(request, "task.html", context, actor=actor, status=status), error)


def _faults(error: LienThongError | None) -> dict[str, str]:
    """Return the sentence at each field that an error is about."""
    if isinstance(error, FormRefused):
        return {
            fault.name: render("field", fault.code, current_language(), **fault.parameters)
            for fault in error.faults
        }
    if error is not None and error.code == "pin_refused":
        return {"pin": render_error(error, current_language())[0]}
    return {}


def _to_read(page: TaskPage) -> list[object]:
    """Return the documents that this step is about: those it names, else all of the dossier."""
    named = [one for one in page.documents if one.kind in page.task.documents_in]
    return list(named or page.documents)
