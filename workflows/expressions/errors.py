"""What can be wrong with an expression: leaves of `Rejected`, each with a position or a limit."""

from __future__ import annotations

from dossier.errors import Rejected


class ExpressionSyntax(Rejected):
    """The text is not FEEL; `line`, `column`, `expected` and `got` say where and why."""

    code = "expression_syntax"


class ExpressionRefused(Rejected):
    """The construct is FEEL, but the profile of this place does not have it."""

    code = "expression_construct_refused"


class ExpressionTooLong(Rejected):
    """The source has more characters than the profile allows."""

    code = "expression_too_long"


class ExpressionTooLarge(Rejected):
    """The source has more syntax nodes than the profile allows."""

    code = "expression_too_large"


class ExpressionTooDeep(Rejected):
    """The source nests deeper than the profile allows."""

    code = "expression_too_deep"


class StepLimit(Rejected):
    """The evaluation took more steps than the profile allows."""

    code = "expression_step_limit"


class CallDepthLimit(Rejected):
    """Functions called each other deeper than the profile allows."""

    code = "expression_call_depth_limit"


class ListLimit(Rejected):
    """A list, a context or an iteration domain grew past the profile's limit."""

    code = "expression_list_limit"


class TextLimit(Rejected):
    """A text grew past the profile's limit."""

    code = "expression_text_limit"


class ResultLimit(Rejected):
    """The result is larger than the profile allows."""

    code = "expression_result_limit"


class PatternLimit(Rejected):
    """A regular expression has a larger program than the matcher allows."""

    code = "expression_pattern_limit"


class ValueRefused(Rejected):
    """A value is outside the closed set of variable types."""

    code = "expression_value_refused"


class InstantMissing(Rejected):
    """The expression asks for the present, and the caller gave no instant."""

    code = "expression_instant_missing"


class PrefixRefused(Rejected):
    """A foreign expression (`${…}`, `#{…}`) uses what has no counterpart here."""

    code = "expression_foreign_refused"
