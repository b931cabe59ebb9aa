"""Run scenarios of a procedure with a virtual clock, compare, and say what they do not reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from dossier.calendar import load_calendar
from dossier.canonical import Json
from dossier.errors import LienThongError
from dossier.texts import Bilingual
from workflows import papers
from workflows.commands import HistoryEvent
from workflows.diagram import draw_svg
from workflows.play import Play, Trace
from workflows.postplay import Post
from workflows.procedure import Procedure
from workflows.quietplay import Sent
from workflows.rows import Run
from workflows.scenariofile import Scenario, Step, Verb, parse_instant, parse_scenario

__all__ = [
    "Coverage", "Mismatch", "Result", "coverage", "draw_coverage", "draw_failure", "run", "run_all",
]  # fmt: skip

# Expectations that name elements; of all but the path, the order does not count.
_UNORDERED: Final = ("open", "waiting", "incidents", "silent")
_ELEMENTS: Final = (*_UNORDERED, "path")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """What a step expected and what it met."""

    step: int  # from 1
    line: int  # in the scenario file
    what: str  # an expectation such as `open`, or the verb of a step that failed
    expected: str
    actual: str
    missing: tuple[str, ...] = ()  # elements that were expected and not met


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How one scenario went; it stops at the first step with a mismatch."""

    name: Bilingual
    steps: int
    mismatches: tuple[Mismatch, ...]
    trace: tuple[Trace, ...]
    sent: tuple[Sent, ...]
    runs: Mapping[str, Run]  # by role, as they stood at the end

    @property
    def passed(self) -> bool:
        """Tell whether every step went as expected."""
        return not self.mismatches

    @property
    def entered(self) -> frozenset[str]:
        """Return the elements that were entered."""
        return frozenset(line.element_id for line in self.trace)


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Which elements of all pools the scenarios entered."""

    covered: tuple[str, ...]
    uncovered: tuple[str, ...]  # in the order of the file

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing is left out."""
        return not self.uncovered


def run_all(procedure: Procedure) -> Mapping[str, Result]:
    """Run every scenario of a procedure's folder, by name; raise `ScenarioRefused`."""
    return {
        name: run(procedure, parse_scenario(content, procedure=procedure))
        for name, content in sorted(procedure.scenarios.items())
    }


def run(procedure: Procedure, scenario: Scenario) -> Result:
    """Play a scenario step by step until one step does not go as expected."""
    calendar = load_calendar(layers=scenario.layers, hours=scenario.hours)
    play = Play(procedure, roles=scenario.roles, at=scenario.at, calendar=calendar)
    done = 0
    found: tuple[Mismatch, ...] = ()
    for number, step in enumerate(scenario.steps, start=1):
        done = number
        found = _expect(play, step, number) if step.verb is Verb.EXPECT else _do(play, step, number)
        if found:
            break
    return Result(
        name=scenario.name,
        steps=done,
        mismatches=found,
        trace=tuple(play.trace),
        sent=tuple(play.sent),
        runs=play.runs,
    )


def coverage(procedure: Procedure, results: Iterable[Result]) -> Coverage:
    """Return which elements the results entered, over all pools of the procedure."""
    entered = frozenset[str]().union(*(result.entered for result in results))
    elements = [
        element
        for role in procedure.deployment.roles
        for element in procedure.definition(role).elements
        if element not in procedure.deployment.files  # a part has scenarios of its own
    ]
    return Coverage(
        covered=tuple(element for element in elements if element in entered),
        uncovered=tuple(element for element in elements if element not in entered),
    )


def draw_coverage(procedure: Procedure, covered: Coverage, *, lang: str) -> str:
    """Return the diagram as SVG with the covered elements marked as done."""
    return draw_svg(
        procedure.source,
        title=procedure.name[lang],
        description=f"{len(covered.covered)}/{len(covered.covered) + len(covered.uncovered)}",
        states=dict.fromkeys(covered.covered, "done"),
        labels={element: procedure.element_name(element)[lang] for element in procedure.labels},
    )


def draw_failure(procedure: Procedure, result: Result, *, lang: str) -> str:
    """Return the diagram of a scenario that failed.

    What was passed is marked as done, where the play stands as active, and what was expected and
    not met as an incident.
    """
    left = {line.element_id for line in result.trace if line.event is HistoryEvent.LEFT}
    standing = [element for run in result.runs.values() for element in run.active]
    missing = [element for one in result.mismatches for element in one.missing]
    return draw_svg(
        procedure.source,
        title=procedure.name[lang],
        description="; ".join(
            f"{one.what}: {one.expected} ≠ {one.actual}" for one in result.mismatches
        ),
        states={
            **dict.fromkeys(left, "done"),
            **dict.fromkeys(standing, "active"),
            **dict.fromkeys(missing, "incident"),
        },
        labels={element: procedure.element_name(element)[lang] for element in procedure.labels},
    )


def _do(play: Play, step: Step, number: int) -> tuple[Mismatch, ...]:
    try:
        _act(play, step)
    except LienThongError as exc:
        reason = str(exc.parameters.get("reason", exc.code))
        if step.refused and step.refused in (reason, exc.code):
            return ()
        expected = step.refused or "done"
        return (_mismatch(step, number, step.verb, expected, f"{exc.code}: {exc.message}"),)
    if step.refused:
        return (_mismatch(step, number, step.verb, f"refused: {step.refused}", "done"),)
    return ()


def _act(play: Play, step: Step) -> None:  # noqa: C901 - one arm per verb
    match step.verb:
        case Verb.START:
            play.start(step.subject, values=step.values, event=step.event)
        case Verb.COMPLETE:
            play.complete(step.subject, values=step.values, which=step.which)
        case Verb.RECEIVE:
            play.receive(step.subject, values=step.values)
        case Verb.FORWARD:
            play.forward(step.subject)
        case Verb.FORWARD_TO:
            play.forward_to(parse_instant(step.subject, line=step.line))
        case Verb.LOSE:
            play.lose(step.subject)
        case Verb.SIGNAL:
            play.signal(step.subject)
        case Verb.ANSWER:
            play.answer(step.subject, values=step.values)
        case Verb.FAIL:
            play.fail(step.subject, code=step.code)
        case Verb.REFUSE | Verb.REDIRECT | Verb.RECALL | Verb.REPLACE | Verb.UPDATE | Verb.MERGE:
            play.post(Post(step.verb.value), step.subject)
        case Verb.EXPECT:
            raise AssertionError("expectations are compared, not done")
        case _:
            assert_never(step.verb)


def _expect(play: Play, step: Step, number: int) -> tuple[Mismatch, ...]:
    mismatches = []
    for what, expected in step.expected.items():
        actual = _actual(play, what, expected)
        if _ordered(what, expected) != _ordered(what, actual):
            mismatches.append(_mismatch(step, number, what, expected, actual))
    return tuple(mismatches)


def _actual(play: Play, what: str, expected: Json) -> Json:  # noqa: C901 - one arm each
    match what:
        case "open":
            return list(play.open_elements())
        case "waiting":
            return [wait.element_id for run in play.runs.values() for wait in run.waits.values()]
        case "incidents":
            return [one.element_id for run in play.runs.values() for one in run.incidents.values()]
        case "sent":
            return [f"{one.message_type} {one.action}".strip() for one in play.sent]
        case "to_successor":
            return [one.message_type for one in play.sent if one.is_to_successor]
        case "returned":
            return [one.message_type for one in play.posts.refused]
        case "undelivered":
            return [message.message_type for message in play.undelivered]
        case "silent":
            return list(play.quiet.silent)
        case "late":
            return [message.message_type for message in play.quiet.late]
        case "path":
            return _path(play.trace, expected)
        case _:
            return _by_role(play, what, expected)


def _by_role(play: Play, what: str, expected: Json) -> Json:
    """Return what the named roles show; only what is expected is compared."""
    named = expected if isinstance(expected, Mapping) else {}
    found: dict[str, Json] = {}
    for role in named:
        run = play.runs.get(role)
        if run is None:
            found[role] = "not played"
        elif what == "statuses":
            found[role] = run.status
        elif what == "finished":
            found[role] = run.outcome or "running"
        elif what == "told":
            found[role] = list(play.posts.told[role])
        elif what == "paused":
            found[role] = list(run.pauses.values())
        else:
            wanted = named[role]
            names = wanted if isinstance(wanted, Mapping) else {}
            kept = papers.json_values(run.values)
            found[role] = {name: kept.get(name) for name in names}
    return found


def _path(trace: Sequence[Trace], expected: Json) -> Json:
    """Return the elements entered, cut to those that the expectation names."""
    named = set(expected) if isinstance(expected, list) else set()
    return [
        line.element_id
        for line in trace
        if line.event is HistoryEvent.ENTERED and line.element_id in named
    ]


def _ordered(what: str, value: Json) -> Json:
    if what in _UNORDERED and isinstance(value, list):
        return sorted(map(str, value))
    return value


def _mismatch(step: Step, number: int, what: str, expected: Json, actual: Json) -> Mismatch:
    missing: tuple[str, ...] = ()
    if what in _ELEMENTS and isinstance(expected, list) and isinstance(actual, list):
        missing = tuple(str(one) for one in expected if one not in actual)
    return Mismatch(
        step=number,
        line=step.line,
        what=what,
        expected=_said(expected),
        actual=_said(actual),
        missing=missing,
    )


def _said(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_said(inner)}" for name, inner in value.items()) or "–"
    return "–" if value is None else str(value)
