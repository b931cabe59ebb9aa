"""Why an operator's order is not carried out."""

from __future__ import annotations

from dossier.errors import Conflict, Denied, Rejected, Unavailable


class OwnWork(Denied):
    """Whoever did a task of a dossier does not repair its process as well."""

    code = "own_work"


class StepNotSkippable(Rejected):
    """The step takes a signature or a register number and cannot be left out."""

    code = "step_not_skippable"


class TokenGone(Conflict):
    """The token is not where it was when the page was shown."""

    code = "token_gone"


class InstanceBusy(Unavailable):
    """The instance changed at every attempt to change it by hand."""

    code = "instance_busy"


class MappingRefused(Rejected):
    """A file that maps elements of one version to those of another cannot be read."""

    code = "mapping_refused"
