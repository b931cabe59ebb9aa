"""What can be wrong with a scenario, or with a step of a play that it asks for."""

from __future__ import annotations

from dossier.errors import Rejected


class ScenarioRefused(Rejected):
    """The scenario file is not what `docs/reference/scenarios.md` describes."""

    code = "scenario_refused"


class PlayRefused(Rejected):
    """The step cannot be done now: no such open task, no document, values that do not fit."""

    code = "play_refused"
