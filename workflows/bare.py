"""Treat a BPMN file without a folder as a procedure, so that scenarios can play it.

Nothing but the model is known then: message types carry what `lt:input` names, forms are taken as
filled in, documents as being there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workflows.definition import Collaboration, Deployment, deploy_or_refuse
from workflows.graph import EventKind
from workflows.linking import Part
from workflows.procedure import MessageType, Names, Procedure, Role


def bare_procedure(source: bytes, *, code: str, parts: Sequence[Part] = ()) -> Procedure:
    """Return the procedure that a model alone describes; raise `DefinitionRefused`."""
    deployment = deploy_or_refuse(source, parts)
    pools = {pool.role: pool.name or pool.role for pool in deployment.collaboration.pools}
    roles = {role: pools.get(role, role) for role in (*pools, *deployment.roles)}
    return Procedure(
        code=code,
        version="0",
        name=_named(code),
        effective=date.min,
        citation="",
        unconfirmed=True,
        roles={
            role: Role(name=_named(name), bind="initiator", units=())
            for role, name in roles.items()
        },
        messages=_undrawn(deployment) | _messages(deployment.collaboration),
        documents={},
        parameters={},
        deadline=None,
        pause_bases=(),
        statuses={},
        registers={},
        english={},
        forms={},
        decisions={},
        scenarios={},
        deployment=deployment,
        source=source,
    )


def _undrawn(deployment: Deployment) -> dict[str, MessageType]:
    """Return the message types without a message flow: whoever waits for one gets it."""
    names = {
        node.extension.message_type or event.name or node.id
        for role in deployment.roles
        for node in deployment.definition(role).elements.values()
        for event in node.events
        if event.kind is EventKind.MESSAGE
    }
    return {name: _message(name, source="", to="") for name in sorted(names)}


def _messages(collaboration: Collaboration) -> dict[str, MessageType]:
    return {
        flow.message_type: _message(flow.message_type, source=flow.source_role, to=flow.target_role)
        for flow in collaboration.flows
    }


def _message(name: str, *, source: str, to: str) -> MessageType:
    return MessageType(
        name=_named(name),
        source=source,
        to=to,
        documents=(),
        values=(),
        payload="",
        urgency="normal",
        expires="P3D",
        assurance_minimum="sealed",
    )


def _named(text: str) -> Names:
    return {"vi": text, "en": text}
