"""Procedures and rule packs: what is published, what is proposed, confirming and refusing."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from dossier.model import Actor
from exchange import access, proposals
from exchange.queries.partners import names_of
from exchange.queries.proposals import proposal_page, proposed, published
from portal import pages
from portal.pages import node_of


def show_all(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the published versions and, to those who publish, the proposals."""
    here = node_of(request)
    publishes = access.is_publisher(actor, at=here.now())
    versions = published(here)
    found = proposed(here, actor) if publishes else []
    people = {one.published_by for one in versions} | {one.confirmed_by for one in versions}
    people |= {one.proposed_by for one in found}
    context = {
        "versions": versions,
        "proposals": found,
        "publishes": publishes,
        "names": names_of(here, people - {""}),
    }
    return pages.show(request, "procedures.html", context, actor=actor)


def show(request: HttpRequest, actor: Actor, proposal: UUID) -> HttpResponse:
    """Show one proposal: what changes, the diagram, and what can be done about it."""
    here = node_of(request)
    page = proposal_page(here, actor, proposal)
    people = {page.proposal.proposed_by, page.proposal.decided_by} - {""}
    context = {"page": page, "names": names_of(here, people)}
    return pages.show(request, "proposal.html", context, actor=actor)


def confirm(request: HttpRequest, actor: Actor, proposal: UUID) -> HttpResponse:
    """Publish what another person proposed."""
    proposals.confirm(actor, proposal, at=node_of(request).now())
    messages.success(request, _("The version is published."))
    return HttpResponseRedirect(f"/procedures/proposals/{proposal}")


def refuse(request: HttpRequest, actor: Actor, proposal: UUID) -> HttpResponse:
    """Refuse a proposal with a reason."""
    reason = request.POST.get("reason", "")
    proposals.refuse(actor, proposal, reason=reason, at=node_of(request).now())
    messages.success(request, _("The proposal is refused."))
    return HttpResponseRedirect(f"/procedures/proposals/{proposal}")
