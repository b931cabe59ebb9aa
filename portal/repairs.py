"""Put a running dossier right: where it stands, what an order would change, carrying it out."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from dossier.errors import LienThongError
from dossier.model import Actor
from dossier.repair import Repair, RepairKind
from dossier.texts import render_error
from exchange import repair
from exchange.queries.repair_page import repair_pages
from portal import pages
from portal.errors import PageUnknown, status_of
from portal.language import current_language
from portal.pages import node_of


def find(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Go to the repair page of a dossier code."""
    dossier = repair.find(node_of(request), actor, request.GET.get("code", ""))
    return HttpResponseRedirect(f"/dossiers/{dossier}/repair")


def show(request: HttpRequest, actor: Actor, dossier: UUID) -> HttpResponse:
    """Show where the process stands; take an order, show what it would change, carry it out."""
    if request.method != "POST":
        return _show(request, actor, dossier)
    try:
        instance, order = _order(request)
        if "confirmed" not in request.POST:
            return _preview(request, actor, dossier, instance, order)
        repair.carry_out(node_of(request), actor, instance, order)
    except LienThongError as error:
        return _show(request, actor, dossier, error=error)
    messages.success(request, _("The repair is done and on record."))
    return HttpResponseRedirect(f"/dossiers/{dossier}/repair")


def _show(
    request: HttpRequest, actor: Actor, dossier: UUID, *, error: LienThongError | None = None
) -> HttpResponse:
    shown = repair_pages(node_of(request), actor, dossier)
    sentence, hint = render_error(error, current_language()) if error else ("", None)
    context = {"instances": shown, "sentence": sentence, "hint": hint, "given": request.POST}
    status = status_of(error) if error else 200
    return pages.show(request, "repair.html", context, actor=actor, status=status)


def _preview(
    request: HttpRequest, actor: Actor, dossier: UUID, instance: UUID, order: Repair
) -> HttpResponse:
    shown = repair_pages(node_of(request), actor, dossier)
    here = next((one for one in shown if one.instance == instance), None)
    token = next((one for one in here.tokens if one.id == order.token), None) if here else None
    if here is None or token is None:
        raise PageUnknown("expected a token of the dossier's process")
    context = {
        "page": here,
        "token": token,
        "order": order,
        "effects": repair.preview(node_of(request), actor, instance, order),
    }
    return pages.show(request, "repair_preview.html", context, actor=actor)


def _order(request: HttpRequest) -> tuple[UUID, Repair]:
    """Return the instance and the order of a form; the choice is `back:review` or `skip:`."""
    kind, _colon, to = request.POST.get("choice", "").partition(":")
    try:
        instance = UUID(request.POST.get("instance", ""))
        wanted = RepairKind(kind)
    except ValueError as exc:
        raise PageUnknown("expected an order that the page offers") from exc
    return instance, Repair(
        kind=wanted,
        token=request.POST.get("token", ""),
        to=to,
        reason=request.POST.get("reason", ""),
    )
