"""Draw BPMN models in a few lines of text, and drive instances with save and restore each step.

draw('''
start s
user review name="Review" lt:form=review
end e
s > review > e
review > e if amount > 5
''')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from workflows import facts, instance
from workflows.commands import (
    CallService,
    CloseSubscription,
    CloseTask,
    Command,
    OpenSubscription,
    OpenTask,
    RaiseIncident,
    ResolveIncident,
)
from workflows.definition import Definition, deploy
from workflows.expressions import Value

AT = datetime(2022, 4, 18, 1, 0, tzinfo=UTC)
INSTANCE = "3f0c6a7e-0000-4000-8000-000000000001"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:lt="urn:lienthong:bpmn:1" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'id="defs" targetNamespace="urn:test">\n'
)
TAGS = {
    "start": "startEvent", "end": "endEvent", "catch": "intermediateCatchEvent",
    "throw": "intermediateThrowEvent", "boundary": "boundaryEvent", "task": "task",
    "user": "userTask", "manual": "manualTask", "script": "scriptTask",
    "service": "serviceTask", "rule": "businessRuleTask", "send": "sendTask",
    "receive": "receiveTask", "call": "callActivity", "sub": "subProcess",
    "transaction": "transaction", "adhoc": "adHocSubProcess", "xor": "exclusiveGateway",
    "and": "parallelGateway", "or": "inclusiveGateway", "event": "eventBasedGateway",
    "complex": "complexGateway",
}  # fmt: skip
_WORD = re.compile(r'([\w:./-]+)=("[^"]*"|\S+)|(\S+)')


def draw(text: str, *, process: str = "p", top: str = "") -> bytes:
    """Return a BPMN file with one process; `top` is XML put before it."""
    body = _process(text, process)
    return (HEAD + top + _definitions(body, top) + body + "</definitions>").encode()


def _definitions(body: str, top: str) -> str:
    """Define every message, signal, error and escalation that the body refers to."""
    made = []
    for kind, name in sorted(
        set(re.findall(r'(message|signal|error|escalation)Ref="([^"]+)"', body))
    ):
        code = f' {kind}Code="{name}"' if kind in ("error", "escalation") else ""
        if f'id="{name}"' not in top:
            made.append(f'<{kind} id="{name}" name="{name}"{code}/>')
    return "\n".join(made)


def draw_pools(pools: Mapping[str, str], wires: str) -> bytes:
    """Return a collaboration; wires are lines `source > target : message-type`."""
    parts = ['<collaboration id="contract">']
    for role in pools:
        parts.append(
            f'<participant id="pool_{role}" name="{role}" processRef="{role}_process" '
            f'lt:role="{role}"/>'
        )
    for number, line in enumerate(filter(None, map(str.strip, wires.splitlines()))):
        ends, kind = line.split(" : ")
        source, target = ends.split(" > ")
        parts.append(
            f'<messageFlow id="wire{number}" sourceRef="{source}" targetRef="{target}">'
            f'<extensionElements><lt:message type="{kind}"/></extensionElements></messageFlow>'
        )
    parts.append("</collaboration>")
    bodies = [_process(text, f"{role}_process") for role, text in pools.items()]
    text = "\n".join(parts + bodies)
    return (HEAD + _definitions(text, "") + text + "</definitions>").encode()


def _process(text: str, identifier: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    body = _body(lines)
    return f'<process id="{identifier}" isExecutable="true">\n{body}</process>\n'


def _body(lines: list[str]) -> str:
    out: list[str] = []
    position = 0
    flows = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.startswith("<"):
            out.append(line)
        elif re.match(r"\S+ >", line):
            out += _flows(line, out)
            flows += 1
        elif line.endswith("{"):
            depth, inner = 1, []
            while depth:
                depth += lines[position].endswith("{") - (lines[position] == "}")
                inner.append(lines[position])
                position += 1
            out.append(_element(line[:-1], _body(inner[:-1])))
        else:
            out.append(_element(line, ""))
    return "\n".join(out) + "\n"


def _flows(line: str, before: list[str]) -> list[str]:
    condition = ""
    if " if " in line:
        line, text = line.split(" if ", 1)
        condition = (
            f'<conditionExpression xsi:type="tFormalExpression">{escape(text)}'
            "</conditionExpression>"
        )
    ends = [end.strip() for end in line.split(" > ")]
    made: list[str] = []
    for source, target in pairwise(ends):
        name, _, source = source.rpartition(":")
        identifier = name or f"{source}-{target}"
        while any(f'id="{identifier}"' in item for item in before + made):
            identifier += "x"
        made.append(
            f'<sequenceFlow id="{identifier}" sourceRef="{source}" targetRef="{target}">'
            f"{condition}</sequenceFlow>"
        )
    return made


_EVENTS = {
    "message": "messageEventDefinition", "signal": "signalEventDefinition",
    "error": "errorEventDefinition", "escalation": "escalationEventDefinition",
    "compensate": "compensateEventDefinition", "cancel": "cancelEventDefinition",
    "link": "linkEventDefinition", "terminate": "terminateEventDefinition",
    "conditional": "conditionalEventDefinition", "duration": "timeDuration",
    "date": "timeDate", "cycle": "timeCycle",
}  # fmt: skip


def _event(key: str, value: str) -> str:
    tag = _EVENTS[key]
    if key in ("duration", "date", "cycle"):
        return f"<timerEventDefinition><{tag}>{escape(value)}</{tag}></timerEventDefinition>"
    if key == "conditional":
        return f"<{tag}><condition>{escape(value)}</condition></{tag}>"
    if key in ("message", "signal", "error", "escalation"):
        reference = f"{key}Ref={quoteattr(value)}" if value != "-" else ""
        return f"<{tag} {reference}/>"
    if key == "link":
        return f"<{tag} name={quoteattr(value)}/>"
    if key == "compensate" and value != "-":
        return f"<{tag} activityRef={quoteattr(value)}/>"
    return f"<{tag}/>"


def _element(line: str, inner: str) -> str:
    words = [
        (match[1], match[2].strip('"')) if match[1] else (None, match[3])
        for match in _WORD.finditer(line)
    ]
    kind, identifier = words[0][1], words[1][1]
    tag = TAGS[kind]
    attributes: list[str] = [f'id="{identifier}"']
    extensions: list[str] = []
    children: list[str] = []
    for key, value in words[2:]:
        _word(key, value, kind, attributes, extensions, children)
    holder = f"<extensionElements>{''.join(extensions)}</extensionElements>" if extensions else ""
    return f"<{tag} {' '.join(attributes)}>{holder}{''.join(children)}{inner}</{tag}>"


_SHORT = {
    "on": "attachedToRef", "interrupting": "cancelActivity", "called": "calledElement",
    "triggered": "triggeredByEvent", "compensation": "isForCompensation",
}  # fmt: skip
_LT = {
    "form": "name", "due": "after", "sign": "role", "register": "book", "status": "value",
    "pauseClock": "basis", "service": "operation", "message": "type", "decision": "name",
    "silence": "policy",
}  # fmt: skip


def _word(
    key: str | None,
    value: str,
    kind: str,
    attributes: list[str],
    extensions: list[str],
    children: list[str],
) -> None:
    if key is None:
        raise ValueError(f"expected key=value, got {value}")
    if key in _EVENTS and not (kind in ("send", "receive") and key == "message"):
        children.append(_event(key, value))
    elif key in ("send", "receive", "message"):
        attributes.append(f"messageRef={quoteattr(value)}")
    elif key == "script":
        children.append(f"<script>{escape(value.replace('|', chr(10)))}</script>")
    elif key in ("loop", "parallel", "sequential"):
        children.append(_loop(key, value))
    elif key.startswith("lt:"):
        extensions.append(_extension(key[3:], value))
    elif kind == "start" and key == "interrupting":
        attributes.append(f"isInterrupting={quoteattr(value)}")
    else:
        attributes.append(f"{_SHORT.get(key, key)}={quoteattr(value)}")


def _extension(key: str, value: str) -> str:
    name, _, attribute = key.partition(".")
    if name in ("in", "out"):
        tag = "input" if name == "in" else "output"
        return f"<lt:{tag} name={quoteattr(attribute)} value={quoteattr(value)}/>"
    return f"<lt:{name} {attribute or _LT[name]}={quoteattr(value)}/>"


def _loop(key: str, value: str) -> str:
    parts = dict(part.split(":", 1) for part in value.split(";"))
    condition = parts.get("until") or parts.get("while")
    if key == "loop":
        maximum = f'loopMaximum="{parts["max"]}"' if "max" in parts else ""
        before = 'testBefore="true"' if "before" in parts else ""
        inner = f"<loopCondition>{escape(condition)}</loopCondition>" if condition else ""
        return (
            f"<standardLoopCharacteristics {maximum} {before}>{inner}</standardLoopCharacteristics>"
        )
    inner = ""
    if "n" in parts:
        inner += f"<loopCardinality>{escape(parts['n'])}</loopCardinality>"
    if "of" in parts:
        inner += f"<loopDataInputRef>{escape(parts['of'])}</loopDataInputRef>"
    if "into" in parts:
        inner += f"<loopDataOutputRef>{escape(parts['into'])}</loopDataOutputRef>"
    if "item" in parts:
        inner += f'<inputDataItem id="item-{parts["item"]}" name="{parts["item"]}"/>'
    if "result" in parts:
        inner += f'<outputDataItem id="out-{parts["result"]}" name="{parts["result"]}"/>'
    if condition:
        inner += f"<completionCondition>{escape(condition)}</completionCondition>"
    behavior = f'behavior="{parts["behavior"]}"' if "behavior" in parts else ""
    sequential = "true" if key == "sequential" else "false"
    return (
        f'<multiInstanceLoopCharacteristics isSequential="{sequential}" {behavior}>{inner}'
        "</multiInstanceLoopCharacteristics>"
    )


def plain(values: Mapping[str, Value | int]) -> dict[str, Value]:
    """Return values in the closed set of types: a whole number is a decimal."""
    return {
        name: Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in values.items()
    }


@dataclass
class Play:
    """Drive one instance as a host would: rows from commands, a fresh snapshot at each step."""

    definition: Definition
    values: dict[str, Value] = field(default_factory=dict)
    at: datetime = AT
    instance_id: str = INSTANCE
    snapshot: bytes = b""
    tasks: dict[str, OpenTask] = field(default_factory=dict)
    subscriptions: dict[str, OpenSubscription] = field(default_factory=dict)
    calls: dict[str, CallService] = field(default_factory=dict)
    incidents: dict[str, RaiseIncident] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    history: list[tuple[str, str]] = field(default_factory=list)
    finished: bool = False
    halted: bool = False
    active: tuple[str, ...] = ()

    def start(self, element: str | None = None, **values: Value | int) -> Play:
        """Open the instance."""
        trigger = facts.MessageStart(element_id=element, values=plain(values)) if element else None
        if not element:
            self.values.update(plain(values))
        self.record(
            instance.start(
                self.definition,
                instance_id=self.instance_id,
                trigger=trigger,
                values=self.values,
                at=self.at,
            )
        )
        return self

    def take(self, fact: facts.Fact) -> Play:
        """Apply a fact to the restored snapshot."""
        self.record(
            instance.apply(self.definition, self.snapshot, fact, values=self.values, at=self.at)
        )
        return self

    def done(self, element: str, **values: Value | int) -> Play:
        """Complete the oldest open task of an element."""
        task = next(t for t in self.tasks.values() if t.element_id == element)
        return self.take(facts.TaskCompleted(task_id=task.task_id, values=plain(values)))

    def message(self, element: str, **values: Value | int) -> Play:
        """Deliver a message to the subscription of an element."""
        found = self._subscription(element)
        return self.take(facts.MessageArrived(subscription_id=found, values=plain(values)))

    def timer(self, element: str, later: timedelta = timedelta()) -> Play:
        """Let the timer of an element fire."""
        self.at += later
        return self.take(facts.TimerFired(subscription_id=self._subscription(element)))

    def signal(self, name: str, **values: Value | int) -> Play:
        """Raise a signal from outside."""
        return self.take(facts.SignalRaised(name=name, values=plain(values)))

    def answer(self, element: str, **values: Value | int) -> Play:
        """Answer the service call of an element."""
        call = next(c for c in self.calls.values() if c.element_id == element)
        del self.calls[call.call_id]
        return self.take(facts.ServiceAnswered(call_id=call.call_id, values=plain(values)))

    def break_call(self, element: str, code: str) -> Play:
        """Let the service call of an element fail."""
        call = next(c for c in self.calls.values() if c.element_id == element)
        del self.calls[call.call_id]
        return self.take(facts.ServiceFailed(call_id=call.call_id, code=code))

    def retry(self, element: str) -> Play:
        """Retry the incident of an element."""
        found = next(i for i in self.incidents.values() if i.element_id == element)
        return self.take(facts.Retry(token_id=found.token_id))

    @property
    def open(self) -> list[str]:
        """The elements of the open tasks, sorted."""
        return sorted(task.element_id for task in self.tasks.values())

    @property
    def waiting(self) -> list[str]:
        """The elements of the open subscriptions, sorted."""
        return sorted(item.element_id for item in self.subscriptions.values())

    @property
    def entered(self) -> list[str]:
        """The elements entered so far, in order."""
        return [element for element, event in self.history if event == "entered"]

    def sent(self, kind: type) -> list[Any]:
        """The commands of one class, in order."""
        return [command for command in self.commands if isinstance(command, kind)]

    def _subscription(self, element: str) -> str:
        return next(s for s, c in self.subscriptions.items() if c.element_id == element)

    def record(self, transition: instance.Transition) -> None:
        """Take over what a transition brought, as a host does in one transaction."""
        self.snapshot = transition.snapshot
        self.values.update(transition.writes)
        self.finished, self.halted = transition.finished, transition.halted
        self.active = transition.active
        self.history += [(e.element_id, e.event.value) for e in transition.history]
        self.commands += transition.commands
        for command in transition.commands:
            self._row(command)

    def _row(self, command: Command) -> None:
        match command:
            case OpenTask():
                self.tasks[command.task_id] = command
            case CloseTask():
                del self.tasks[command.task_id]
            case OpenSubscription():
                self.subscriptions[command.subscription_id] = command
            case CloseSubscription():
                del self.subscriptions[command.subscription_id]
            case CallService():
                self.calls[command.call_id] = command
            case RaiseIncident():
                self.incidents[command.token_id] = command
            case ResolveIncident():
                del self.incidents[command.token_id]
            case _:
                pass


def play(text: str, **values: Value | int) -> Play:
    """Draw, deploy and start one process."""
    return Play(definition_of(draw(text)), plain(values)).start()


def definition_of(source: bytes, role: str = "p") -> Definition:
    """Deploy and return the definition of a role."""
    return deploy(source).definition(role)
