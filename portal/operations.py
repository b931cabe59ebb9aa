"""What operators look at: incidents with what to do about them, and the partners."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from dossier.model import Actor, Role
from dossier.texts import render
from exchange import incidents, supersede
from exchange.queries.partners import partners_page
from portal import pages
from portal.errors import PageUnknown
from portal.language import current_language
from portal.pages import node_of


def show_incidents(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the open incidents of the dossiers that the person may see."""
    rows = incidents.listed(node_of(request), actor)
    context = {
        "rows": rows,
        "retryable": sum(row.can_retry for row in rows),
        "may_repair": any(one.role is Role.BUSINESS_ADMIN for one in actor.bindings),
    }
    return pages.show(request, "incidents.html", context, actor=actor)


def resend(request: HttpRequest, actor: Actor, incident: UUID) -> HttpResponse:
    """Send the message of an incident again."""
    incidents.resend(node_of(request), actor, _message_of(request, actor, incident))
    messages.success(request, _("The message is on its way again."))
    return HttpResponseRedirect("/incidents")


def reissue(request: HttpRequest, actor: Actor, incident: UUID) -> HttpResponse:
    """Send the message of an incident anew, under a new id and a new seal."""
    message = _message_of(request, actor, incident)
    incidents.demand_message(node_of(request), actor, message)
    supersede.reissue(node_of(request), message, by=actor.username)
    messages.success(request, _("A new message is on its way; it names the one it supersedes."))
    return HttpResponseRedirect("/incidents")


def redirect(request: HttpRequest, actor: Actor, incident: UUID) -> HttpResponse:
    """Send the message of an incident to another agency."""
    message = _message_of(request, actor, incident)
    incidents.demand_message(node_of(request), actor, message)
    to = request.POST.get("agency", "").strip()
    supersede.redirect(node_of(request), message, to=to, by=actor.username)
    messages.success(request, _("The message is on its way to another agency."))
    return HttpResponseRedirect("/incidents")


def retry(request: HttpRequest, actor: Actor, incident: UUID) -> HttpResponse:
    """Let the engine try the step again."""
    incidents.retry(node_of(request), actor, incident)
    messages.success(request, _("The step is being tried again."))
    return HttpResponseRedirect("/incidents")


def retry_all(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Let the engine try again every step that can be tried."""
    tried, left = incidents.retry_all(node_of(request), actor)
    said = render("retried", "some", current_language(), tried=len(tried), left=len(left))
    messages.success(request, said)
    return HttpResponseRedirect("/incidents")


def show_partners(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the agencies of the directory in force."""
    context = {"directory": partners_page(node_of(request))}
    return pages.show(request, "partners.html", context, actor=actor)


def _message_of(request: HttpRequest, actor: Actor, incident: UUID) -> UUID:
    for row in incidents.listed(node_of(request), actor):
        if row.incident.id == incident and row.incident.message is not None:
            return row.incident.message
    raise PageUnknown("expected an open incident of a message")
