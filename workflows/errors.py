"""What can be wrong with a model, a procedure folder, a snapshot or a fact."""

from __future__ import annotations

from dossier.errors import Conflict, Rejected, Unavailable


class DefinitionRefused(Rejected):
    """The model cannot be run as it stands; the findings name every element and line."""

    code = "definition_refused"


class RoleUnknown(Rejected):
    """The collaboration has no pool with an executable process of that role."""

    code = "role_unknown"


class ProcedureRefused(Rejected):
    """The procedure folder contradicts itself or its format."""

    code = "procedure_refused"


class SnapshotRefused(Rejected):
    """The snapshot was written by another version, for another definition, or is damaged."""

    code = "snapshot_refused"


class SnapshotNewer(Unavailable):
    """The snapshot was written by a newer version of this program: that one goes on with it."""

    code = "snapshot_newer"


class StartRefused(Rejected):
    """The process has no start event of that kind."""

    code = "start_refused"


class TokenClosed(Conflict):
    """The task, subscription or call is not open any more."""

    code = "token_closed"


class InstanceClosed(Conflict):
    """The instance has finished; a fact cannot revive it."""

    code = "instance_closed"


class InstanceHalted(Conflict):
    """The instance stopped at an uncaught error; it goes on after a repair only."""

    code = "instance_halted"


class TimerUnusable(Rejected):
    """The timer text is no date, duration or cycle, or an impossible one."""

    code = "timer_unusable"


class LoopUnusable(Rejected):
    """A loop's cardinality, collection or bound is not one, or is too large."""

    code = "loop_unusable"


class RepairRefused(Rejected):
    """The token cannot be moved there."""

    code = "repair_refused"


class MigrationRefused(Rejected):
    """An active element has nowhere to go in the other version."""

    code = "migration_refused"


class NoSuchWay(Rejected):
    """The element names a role that none of its message flows leads to or comes from."""

    code = "no_such_way"


class ReservedName(Rejected):
    """A form, a message or a script would write the procedure's own parameters."""

    code = "name_reserved"


class NotBoolean(Rejected):
    """A condition gave something that is neither true nor false."""

    code = "condition_not_boolean"


class TextNotCompiled(Rejected):
    """A text reached the evaluator that the definition does not contain."""

    code = "text_not_compiled"
