"""Read a scenario: YAML, closed vocabulary, every fault with its line.

docs/reference/scenarios.md describes the file. Anchors, aliases, tags and keys written twice are
refused; dates and instants stay text, as forms send them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import yaml

from dossier.canonical import Json
from dossier.texts import Bilingual, Language, render
from workflows.procedure import Procedure
from workflows.scenario_errors import ScenarioRefused

_SIZE_LIMIT: Final = 256 * 1024
_DEPTH: Final = 12
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_TOP: Final = {"name", "at", "play", "hours", "layers", "steps"}
_STEP: Final = {"values", "which", "code", "refused", "event"}
_EXPECT: Final = {
    "open", "waiting", "statuses", "finished", "sent", "undelivered", "path", "values",
    "incidents", "paused", "silent", "late", "returned",
    "told", "to_successor",
}  # fmt: skip


class Verb(StrEnum):
    """What a step does; its value in the file is the subject."""

    START = "start"  # a role
    COMPLETE = "complete"  # an element
    RECEIVE = "receive"  # a message type
    FORWARD = "forward"  # an allowance
    FORWARD_TO = "forward_to"  # an instant
    SIGNAL = "signal"  # the name of a signal
    LOSE = "lose"  # a message type
    ANSWER = "answer"  # an element
    FAIL = "fail"  # an element
    REFUSE = "refuse"  # a message type
    REDIRECT = "redirect"  # a message type
    RECALL = "recall"  # a message type
    REPLACE = "replace"  # a message type
    UPDATE = "update"  # a message type
    MERGE = "merge"  # a role
    EXPECT = "expect"  # a table of expectations


_OF_MESSAGES: Final = frozenset(
    {
        Verb.RECEIVE, Verb.LOSE, Verb.REFUSE, Verb.REDIRECT, Verb.RECALL, Verb.REPLACE, Verb.UPDATE,
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of a scenario."""

    line: int
    verb: Verb
    subject: str = ""
    values: Mapping[str, Json] = field(default_factory=dict)
    which: int = 0  # of several open instances of an element
    code: str = ""  # of a failing call
    event: str = ""  # the start event at which a pool begins; empty: its none start event
    refused: str = ""  # the reason with which the step must be refused; empty: it must work
    expected: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A scenario that fits its procedure."""

    name: Bilingual
    at: datetime
    roles: tuple[str, ...]  # the pools that are played; the others are mock partners
    hours: str
    layers: tuple[str, ...]
    steps: tuple[Step, ...]


def parse_scenario(content: bytes, *, procedure: Procedure) -> Scenario:
    """Return the scenario of a YAML text, checked against its procedure.

    Raises `ScenarioRefused` with the line for anything that is not in the vocabulary and for
    elements, roles and message types that the procedure does not have.
    """
    return _Reader(procedure).top(content)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Located:
    """A mapping of the file with the line of each key."""

    line: int
    items: Mapping[str, tuple[yaml.Node, int]]


class _Reader:
    def __init__(self, procedure: Procedure) -> None:
        self.procedure = procedure
        self.elements = {
            element
            for role in procedure.deployment.roles
            for element in procedure.definition(role).elements
        }

    def top(self, content: bytes) -> Scenario:
        root = self._compose(content)
        table = self._table(root, _TOP, needed={"name", "at", "steps"})
        roles = self._texts(table, "play") or tuple(self.procedure.roles)
        for role in roles:
            self._known(role, self.procedure.deployment.roles, "role", self._line(table, "play"))
        steps = table.items["steps"][0]
        if not isinstance(steps, yaml.SequenceNode) or not steps.value:
            raise _refused(_line_of(steps), "no_steps")
        return Scenario(
            name=self._name(table),
            at=self._instant(table),
            roles=roles,
            hours=str(self._plain(table, "hours") or "standard"),
            layers=self._texts(table, "layers"),
            steps=_in_time(tuple(self._step(node) for node in steps.value), self._instant(table)),
        )

    def _compose(self, content: bytes) -> yaml.Node:
        if len(content) > _SIZE_LIMIT:
            raise _refused(0, "too_large", limit=_SIZE_LIMIT)
        try:
            text = content.decode()
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                    line = event.start_mark.line + 1 if event.start_mark else 0
                    raise _refused(line, "anchor")
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as exc:
            mark = getattr(exc, "problem_mark", None)
            raise _refused(mark.line + 1 if mark else 0, "not_yaml") from exc
        if root is None:
            raise _refused(0, "empty")
        return root

    def _name(self, table: _Located) -> Bilingual:
        name = self._plain(table, "name")
        if not isinstance(name, Mapping) or name.keys() != {"vi", "en"}:
            raise _refused(self._line(table, "name"), "name")
        return Bilingual(vi=str(name["vi"]), en=str(name["en"]))

    def _instant(self, table: _Located) -> datetime:
        return parse_instant(str(self._plain(table, "at")), line=self._line(table, "at"))

    def _step(self, node: yaml.Node) -> Step:
        verbs = set(map(str, Verb))
        table = self._table(node, verbs | _STEP, needed=set())
        found = [verb for verb in Verb if verb in table.items]
        if len(found) != 1:
            raise _refused(table.line, "verb", verbs=", ".join(Verb))
        verb = found[0]
        if verb is Verb.EXPECT:
            return self._expect(table)
        subject = str(self._plain(table, verb))
        self._fits(verb, subject, table.line)
        values = self._plain(table, "values") or {}
        if not isinstance(values, Mapping):
            raise _refused(self._line(table, "values"), "values")
        which = self._plain(table, "which") or 0
        if type(which) is not int or which < 0:
            raise _refused(self._line(table, "which"), "which")
        return Step(
            line=table.line,
            verb=verb,
            subject=subject,
            values=values,
            which=which,
            code=str(self._plain(table, "code") or ""),
            event=self._event(table),
            refused=str(self._plain(table, "refused") or ""),
        )

    def _event(self, table: _Located) -> str:
        named = str(self._plain(table, "event") or "")
        if named:
            self._known(named, self.elements, "element", self._line(table, "event"))
        return named

    def _expect(self, table: _Located) -> Step:
        if table.items.keys() != {"expect"}:
            raise _refused(table.line, "expect_alone")
        node, line = table.items["expect"]
        inner = self._table(node, _EXPECT, needed=set())
        if not inner.items:
            raise _refused(line, "expect_empty")
        for key in ("open", "waiting", "path", "incidents", "silent"):
            for element in self._texts(inner, key):
                self._known(element, self.elements, "element", self._line(inner, key))
        expected = {key: self._plain(inner, key) for key in inner.items}
        return Step(line=table.line, verb=Verb.EXPECT, expected=expected)

    def _fits(self, verb: Verb, subject: str, line: int) -> None:
        if verb in (Verb.COMPLETE, Verb.ANSWER, Verb.FAIL):
            self._known(subject, self.elements, "element", line)
        elif verb in (Verb.START, Verb.MERGE):
            self._known(subject, self.procedure.roles, "role", line)
        elif verb in _OF_MESSAGES:
            self._known(subject, self.procedure.messages, "message_type", line)
        elif verb is Verb.FORWARD_TO:
            parse_instant(subject, line=line)

    def _known(self, name: str, known: object, what: str, line: int) -> None:
        if isinstance(known, set | Mapping | tuple) and name in known:
            return
        raise _refused(line, f"unknown_{what}", name=name)

    # --- YAML nodes -------------------------------------------------------------------------

    def _table(self, node: yaml.Node, allowed: set[str], *, needed: set[str]) -> _Located:
        if not isinstance(node, yaml.MappingNode):
            raise _refused(_line_of(node), "not_a_table")
        items: dict[str, tuple[yaml.Node, int]] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in allowed:
                raise _refused(_line_of(key), "unknown_key", name=name)
            if name in items:
                raise _refused(_line_of(key), "twice", name=name)
            items[name] = (value, _line_of(key))
        if missing := needed - items.keys():
            raise _refused(_line_of(node), "missing", name=min(missing))
        return _Located(line=_line_of(node), items=items)

    def _line(self, table: _Located, key: str) -> int:
        return table.items[key][1] if key in table.items else table.line

    def _plain(self, table: _Located, key: str) -> Json:
        return self._value(table.items[key][0], 0) if key in table.items else None

    def _texts(self, table: _Located, key: str) -> tuple[str, ...]:
        found = self._plain(table, key)
        if found is None:
            return ()
        if not isinstance(found, list):
            raise _refused(self._line(table, key), "not_a_list", name=key)
        return tuple(str(one) for one in found)

    def _value(self, node: yaml.Node, depth: int) -> Json:
        if depth > _DEPTH:
            raise _refused(_line_of(node), "too_deep")
        if isinstance(node, yaml.SequenceNode):
            return [self._value(inner, depth + 1) for inner in node.value]
        if isinstance(node, yaml.MappingNode):
            pairs = {str(k.value): self._value(v, depth + 1) for k, v in node.value}
            if len(pairs) != len(node.value):
                raise _refused(_line_of(node), "key_twice")
            return pairs
        return _scalar(node)


def _in_time(steps: tuple[Step, ...], at: datetime) -> tuple[Step, ...]:
    """Return the steps; refuse the first one that surely moves the clock back."""
    for step in steps:
        if step.verb is Verb.FORWARD_TO:
            instant = parse_instant(step.subject, line=step.line)
            if instant < at:
                raise _refused(step.line, "clock_moved_back", text=step.subject)
            at = instant
    return steps


def parse_instant(text: str, *, line: int) -> datetime:
    """Return an instant with its offset, such as 2022-04-05T08:00:00+07:00."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise _refused(line, "no_instant", text=text) from exc
    if instant.tzinfo is None:
        raise _refused(line, "no_offset", text=text)
    return instant


def _scalar(node: yaml.Node) -> Json:
    kind = str(node.tag).rpartition(":")[2]
    text = str(node.value)
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() in ("true", "yes", "on")
        case "int":
            return _whole(text, node)
        case "str" | "timestamp" | "float":
            return text
        case _:
            raise _refused(_line_of(node), "tag", tag=str(node.tag))


def _whole(text: str, node: yaml.Node) -> int:
    if not _INTEGER.fullmatch(text):
        raise _refused(_line_of(node), "number", text=text)
    return int(text)


def _line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _refused(line: int, fault: str, **parameters: str | int) -> ScenarioRefused:
    """Return the error for a line; `fault` is a code of the kind `scenario_fault` in the texts."""
    reason = render("scenario_fault", fault, Language.EN, **parameters)
    return ScenarioRefused(
        f"expected a scenario as documented, got in line {line}: {reason}",
        hint=None,
        where=line,
        fault=fault,
        reason=reason,
        **parameters,
    )
