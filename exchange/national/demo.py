"""The two demonstration portals, by the name of their flow."""

from __future__ import annotations

from connectors.demo_portal import DemoPortal
from connectors.demo_portal_rest import DemoRestPortal
from dossier.wire import WireEndpoint
from exchange.national.configuration import Flow


def demo_portal(flow: Flow, *, account: str, secret: str, agency: str) -> WireEndpoint:
    """Return a portal that keeps in memory what it is told."""
    if flow is Flow.OLDER:
        return DemoPortal(username=account, password=secret, agency=agency)
    return DemoRestPortal(client_id=account, client_secret=secret)
