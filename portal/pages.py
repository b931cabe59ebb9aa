"""How views become pages: who is asking, what every page shows, errors as answers.

`portal.urls` wraps each view by `for_people` or `for_anyone`, so that its table shows who may see
what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from dossier.errors import LienThongError
from dossier.model import Actor
from exchange import accounts
from exchange.node import Node
from exchange.queries import partners
from portal import errors

NODE: Final = "lienthong.node"  # under which the node travels in the WSGI environment
_USER: Final = "user_id"

P = ParamSpec("P")
PeopleView = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]
OpenView = Callable[Concatenate[HttpRequest, P], HttpResponse]


def for_people(view: PeopleView[P]) -> OpenView[P]:
    """Wrap a view that needs to know who is asking; others are sent to the login page."""

    @wraps(view)
    def shown(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            actor = actor_of(request)
            if actor is None:
                return _to_login(request)
            return view(request, actor, *args, **kwargs)
        except LienThongError as error:
            return errors.answer(request, error)

    return shown


def for_anyone(view: OpenView[P]) -> OpenView[P]:
    """Wrap a view that anyone may see."""

    @wraps(view)
    def shown(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except LienThongError as error:
            return errors.answer(request, error)

    return shown


def node_of(request: HttpRequest) -> Node:
    """Return the node that this portal is the face of."""
    node: Node = request.META[NODE]
    return node


def actor_of(request: HttpRequest) -> Actor | None:
    """Return the person of the session with the roles valid now, or None."""
    user_id = request.session.get(_USER)
    return accounts.actor_of(node_of(request), user_id) if isinstance(user_id, int) else None


def remember(request: HttpRequest, actor: Actor) -> None:
    """Start a session of this person under a new key."""
    request.session.flush()
    request.session[_USER] = actor.user_id


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    actor: Actor | None,
    status: int = 200,
) -> HttpResponse:
    """Return a page with the frame of this person."""
    framed = {**context, "actor": actor, "own_agency": _own_agency(node_of(request), actor)}
    return render(request, f"portal/{template}", framed, status=status)


def _own_agency(node: Node, actor: Actor | None) -> Mapping[str, str] | None:
    if actor is None or not actor.bindings:
        return None
    return partners.agency_name(node, actor.bindings[0].agency)


def _to_login(request: HttpRequest) -> HttpResponse:
    wanted = request.get_full_path() if request.method == "GET" else "/desk"
    return HttpResponseRedirect(f"/login?{urlencode({'next': wanted})}")
