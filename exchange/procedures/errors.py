"""What can go wrong with the integrator's tools."""

from __future__ import annotations

from dossier.errors import Rejected


class ScaffoldRefused(Rejected):
    """A new procedure folder cannot be begun under that name or at that place."""

    code = "scaffold_refused"


class ProcedureNotReady(Rejected):
    """The procedure fails its lint or its scenarios, so it is not published."""

    code = "procedure_not_ready"
