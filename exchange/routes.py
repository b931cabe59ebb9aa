"""The way of a message through X-Road, where the directory says that both agencies are members."""

from __future__ import annotations

from datetime import datetime

from connectors.xroad import Route, XRoadId
from dossier.directory import Directory, DirectoryAgency
from dossier.wire import SendHints

SERVICE = "SendMessage"


def route(directory: Directory, hints: SendHints, *, at: datetime) -> Route | None:
    """Return the headers of a message; None where either agency is no member of X-Road.

    The message id is that of the message, so that the logs of the security servers name it.
    """
    client = _member(directory.find(hints.from_agency), service="")
    service = _member(directory.successor_of(hints.to_agency, at=at), service=SERVICE)
    if client is None or service is None:
        return None
    return Route(client=client, service=service, message_id=hints.message_id)


def _member(agency: DirectoryAgency | None, *, service: str) -> XRoadId | None:
    if agency is None or agency.x_road is None:
        return None
    member = agency.x_road
    return XRoadId(
        instance=member.instance,
        member_class=member.member_class,
        member_code=member.member_code,
        subsystem=member.subsystem,
        service_code=service,
    )
