"""What a change by hand does to the world, in codes and elements: the dry run of its commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dossier.repair import Effect
from exchange.intervene import Read
from exchange.stepping import Stepped
from workflows import commands
from workflows.commands import Command
from workflows.standing import standing

_OPENED: Final[Mapping[type[Command], str]] = {
    commands.OpenTask: "task_opened",
    commands.OpenSubscription: "wait_opened",
    commands.SendMessage: "message_sent",
    commands.CallService: "call_made",
    commands.CallDecision: "call_made",
    commands.RaiseIncident: "incident_raised",
    commands.SetStatus: "status_set",
}


def effects(stepped: Stepped, before: Read) -> Iterator[Effect]:
    """Yield what the commands of a change open, close, send and set."""
    definition = before.procedure.definition(before.instance.role)
    places = {one.id: one.element for one in standing(definition, before.instance.snapshot)}
    for taken in stepped.taken:
        for transition in taken.transitions:
            for command in transition.commands:
                told = _told(command, places)
                if told is not None:
                    what, element = told
                    name = stepped.procedure.element_name(element)
                    if element not in stepped.procedure.labels:
                        name = before.procedure.element_name(element)
                    yield Effect(what=what, element_id=element, name=name)


def _told(command: Command, places: Mapping[str, str]) -> tuple[str, str] | None:
    opened = _OPENED.get(type(command))
    if opened is not None:
        return opened, str(getattr(command, "element_id", ""))
    if isinstance(command, commands.CloseTask):
        return "task_closed", places.get(_token(command.task_id), "")
    if isinstance(command, commands.CloseSubscription):
        return "wait_closed", places.get(_token(command.subscription_id), "")
    if isinstance(command, commands.Finish):
        return "instance_finished", ""
    return None


def _token(identifier: str) -> str:
    """Return the token behind the row of a loop instance or of one event of several."""
    instance, _, rest = identifier.partition(":")
    return f"{instance}:{rest.partition(':')[0].partition('.')[0]}"
