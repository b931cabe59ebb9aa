"""What can go wrong in the command itself."""

from __future__ import annotations

from dossier.errors import Misconfigured, Rejected, Unavailable


class PortTaken(Misconfigured):
    """Something else listens on the node's port."""

    code = "port_taken"


class NodeNotReady(Unavailable):
    """A node did not come up."""

    code = "demo_node_not_ready"


class PageRefused(Rejected):
    """The portal answered with an error, or without what a person would have looked for."""

    code = "demo_page_refused"


class PortalAway(Unavailable):
    """The portal did not answer."""

    code = "demo_portal_away"


class EvidenceRefused(Rejected):
    """The evidence of the demo's own dossiers does not pass."""

    code = "demo_evidence_refused"
