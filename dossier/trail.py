"""Why a due date is what it is: typed steps that are stored as JSON and read as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from dossier.canonical import Json
from dossier.rule_errors import DeadlineRefused
from dossier.texts import Bilingual, Language, Parameter, render

Fact: TypeAlias = "str | int"

_DAYS: Final = frozenset({"day", "to_day", "from_day"})
_INSTANTS: Final = frozenset({"at", "until", "old"})


class StepKind(StrEnum):
    """What a step says; the comment lists its facts."""

    RECEIVED = "received"  # at
    CUT_OFF = "cut_off"  # limit, to_day
    DAY_OFF_RECEIPT = "day_off_receipt"  # to_day
    COUNTED = "counted"  # allowance, from_day, to_day
    ELAPSED = "elapsed"  # allowance
    CITED = "cited"  # citation
    WEEKLY_REST = "weekly_rest"  # day
    SKIPPED = "skipped"  # day, name, citation
    MADE_UP = "made_up"  # day, name, citation
    ROLLED = "rolled"  # day, to_day
    EXTENDED = "extended"  # allowance, reason, approver, citation, old
    PAUSED = "paused"  # at, until, basis, citation, old
    PAUSED_LATE = "paused_late"  # at
    RESULT = "result"  # at, calendar


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step; texts in both languages are two facts, `name_vi` and `name_en`."""

    kind: StepKind
    facts: Mapping[str, Fact] = field(default_factory=dict)
    confirmed: bool = True  # False: rests on data that nobody has compared with its source


def both(name: str, text: Bilingual) -> dict[str, Fact]:
    """Return a text in both languages as facts."""
    return {f"{name}_vi": text.vi, f"{name}_en": text.en}


def explain(trail: Sequence[Step], *, lang: Language) -> list[str]:
    """Return one sentence a step, in order."""
    return [_sentence(step, lang) for step in trail]


def dump_trail(trail: Sequence[Step]) -> Json:
    """Return the trail as JSON values, for storage."""
    return [
        {"kind": step.kind.value, "facts": dict(step.facts), "confirmed": step.confirmed}
        for step in trail
    ]


def parse_trail(value: Json) -> tuple[Step, ...]:
    """Return the trail that `dump_trail` wrote; raise `DeadlineRefused` for anything else."""
    try:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise TypeError("no list")
        return tuple(_step(found) for found in value)
    except (TypeError, ValueError, KeyError, AttributeError) as exc:
        raise DeadlineRefused("expected a stored trail, got another value", reason="trail") from exc


def _step(found: Json) -> Step:
    if not isinstance(found, Mapping) or found.keys() != {"kind", "facts", "confirmed"}:
        raise TypeError("no step")
    facts = found["facts"]
    if not isinstance(facts, Mapping):
        raise TypeError("no facts")
    kept = {name: fact for name, fact in facts.items() if isinstance(fact, str | int)}
    return Step(kind=StepKind(str(found["kind"])), facts=kept, confirmed=found["confirmed"] is True)


def _sentence(step: Step, lang: Language) -> str:
    spoken: dict[str, Parameter] = {}
    for name, fact in step.facts.items():
        if name.endswith(("_vi", "_en")):
            if name.endswith(f"_{lang}"):
                spoken[name[:-3]] = fact
        else:
            spoken[name] = _typed(name, fact)
    sentence = render("trail", step.kind.value, lang, **spoken)
    return sentence if step.confirmed else render("trail", "unconfirmed", lang, sentence=sentence)


def _typed(name: str, fact: Fact) -> Parameter:
    if name in _DAYS:
        return date.fromisoformat(str(fact))
    if name in _INSTANTS:
        return datetime.fromisoformat(str(fact))
    return fact
