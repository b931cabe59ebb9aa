"""The document services that this node calls, by account."""

from __future__ import annotations

from connectors.edxml.axis import AxisClient
from connectors.edxml.axis_auth import AxisIdentity
from connectors.edxml.document_client import DocumentAccount, DocumentClient
from connectors.http import HttpClient, only_hosts
from exchange.edxml.accounts import EdxmlAccount
from exchange.node import Node


def document_client(node: Node, account: EdxmlAccount) -> DocumentClient:
    """Return the client of a service of dialect A."""
    said = DocumentAccount(
        address=account.address, organ_id=account.organ_id, token=account.secret.decode()
    )
    return DocumentClient(said, http=_http(node))


def axis_client(node: Node, account: EdxmlAccount) -> AxisClient:
    """Return the client of the axis."""
    return AxisClient(
        address=account.address,
        identity=AxisIdentity(system_id=account.system_id, secret=account.secret),
        http=_http(node),
        clock=node.clock,
        pads_digest=account.pads_digest,
    )


def _http(node: Node) -> HttpClient:
    return HttpClient(may_call=only_hosts(*node.settings.outbound_hosts))
