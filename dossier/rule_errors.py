"""The error leaves of the pure rules: texts, calendars, deadlines, codes and forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dossier.errors import Misconfigured, Rejected


class TextMissing(Misconfigured):
    """A code has no sentence in the language asked for, or the sentence lacks a parameter."""

    code = "text_missing"


class CalendarYearMissing(Misconfigured):
    """A date lies outside the years that the calendar covers; it is never guessed."""

    code = "calendar_year_missing"


class CalendarRefused(Misconfigured):
    """The calendar data is not exactly what `docs/reference/calendar.md` describes."""

    code = "calendar_refused"


class AllowanceRefused(Rejected):
    """The text is no allowance such as `3wd`, `8wh`, `15d`, `2mo` or `PT20S`."""

    code = "allowance_refused"


class DeadlineRefused(Rejected):
    """The facts given for a due date contradict each other, such as a pause that ends first."""

    code = "deadline_refused"


class SilenceRefused(Rejected):
    """The silence rule may not fire, or lacks the citation or the proof of delivery it needs."""

    code = "silence_refused"


class StatusRefused(Rejected):
    """The status is none of the ten, or the status table of a rule pack is not complete."""

    code = "status_refused"


class FormMalformed(Rejected):
    """The form definition is not in the subset of JSON Schema that `dossier.form` reads."""

    code = "form_malformed"


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldFault:
    """What is wrong with one field: a code of the kind `field` in the texts, and its numbers."""

    name: str  # name of the field in the schema; "" for the form as a whole
    code: str
    parameters: Mapping[str, str | int] = field(default_factory=dict)


class FormRefused(Rejected):
    """The submitted values do not fit the form; `faults` names every field that is wrong."""

    code = "form_refused"

    def __init__(self, message: str, *, faults: tuple[FieldFault, ...]) -> None:
        super().__init__(message, count=len(faults))
        self.faults = faults


class RulePackRefused(Rejected):
    """The rule pack is not exactly what `docs/reference/rule-packs.md` describes."""

    code = "rule_pack_refused"
