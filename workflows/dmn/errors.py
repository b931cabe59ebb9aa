"""What can be wrong with a decision model: leaves of `Rejected`."""

from __future__ import annotations

from dossier.errors import Rejected


class DmnRefused(Rejected):
    """The file is no DMN model that we read; `line` says where."""

    code = "dmn_malformed"


class DecisionUnknown(Rejected):
    """No decision, business knowledge model or decision service has this name."""

    code = "dmn_decision_unknown"


class DecisionCycle(Rejected):
    """Decisions, knowledge models, types or imports require each other in a circle."""

    code = "dmn_cycle"


class DecisionInputRefused(Rejected):
    """The input of an evaluation is no JSON object of the values that decisions take."""

    code = "dmn_input_malformed"
