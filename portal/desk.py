"""The desk: what one person should see first."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from dossier.model import Actor
from exchange.queries import partners
from exchange.queries.desk import desk
from exchange.queries.notices import notices
from exchange.submit import startable
from portal import pages
from portal.pages import node_of


def start(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send people to their desk."""
    return HttpResponseRedirect("/desk")


def show(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the four groups of the person's desk."""
    here = node_of(request)
    found = desk(here, actor)
    listed = [row for rows in found.rows.values() for row in rows]
    named = {row.holder for row in listed} | {row.agency for row in listed}
    groups = [(group.value, found.counts[group], rows) for group, rows in found.rows.items()]
    context = {
        "groups": groups,
        "is_empty": not any(found.counts.values()),
        "may_open": bool(startable(here, actor)),
        "notices": notices(here, actor),
        "names": partners.names_of(here, named),
        "names_agency": len({row.agency for row in listed}) > 1,
    }
    return pages.show(request, "desk.html", context, actor=actor)
