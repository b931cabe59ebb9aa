"""The document service that organs of dialect A call, where the operator lets any in."""

from __future__ import annotations

from connectors.edxml.document_server import DocumentServer
from dossier.wire import WireEndpoint
from exchange.edxml.accounts import read_configuration
from exchange.edxml.office import NodeOffice
from exchange.node import Node


def document_endpoint(node: Node) -> WireEndpoint | None:
    """Return the endpoint; None without a caller in the configuration."""
    configuration = read_configuration(node.settings.edxml)
    return DocumentServer(NodeOffice(node, configuration)) if configuration.callers else None
