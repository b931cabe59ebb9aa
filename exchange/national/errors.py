"""What can be wrong with what is said of national portals."""

from __future__ import annotations

from dossier.errors import Misconfigured, Rejected


class PortalConfigurationRefused(Misconfigured):
    """The file about national portals says something that cannot be."""

    code = "portal_configuration_refused"


class DestinationUnknown(Rejected):
    """No national portal of that name is configured."""

    code = "destination_unknown"
