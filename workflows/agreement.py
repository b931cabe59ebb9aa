"""Check that a procedure's declaration and its model agree, both ways, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dossier.deadline import parse_allowance
from dossier.errors import Rejected
from dossier.model import Role
from workflows.definition import Definition
from workflows.graph import Kind, Node
from workflows.procedure import Procedure
from workflows.timing import is_literal, parse_instant
from workflows.tomlread import refuse

_PARAMETER: Final = re.compile(r"\bparam\.([A-Za-z_]\w*)")


def check_agreement(procedure: Procedure) -> None:
    """Raise `ProcedureRefused` for the first contradiction."""
    for check in (
        _check_roles,
        _check_senders,
        _check_messages,
        _check_flows,
        _check_elements,
        _check_parameters,
        _check_labels,
    ):
        check(procedure)


def _check_roles(procedure: Procedure) -> None:
    drawn = {pool.role for pool in procedure.collaboration.pools}
    for role in procedure.roles:
        if role not in drawn:
            raise refuse(f"roles.{role}", "no_such_pool", role=role)
    for role in sorted(drawn):
        if role not in procedure.roles:
            raise refuse(f"roles.{role}", "missing", role=role)


def _check_messages(procedure: Procedure) -> None:
    carried = {flow.message_type for flow in procedure.collaboration.flows}
    for name, message in procedure.messages.items():
        where = f"messages.{name}"
        if name not in carried:
            raise refuse(where, "no_such_flow", message_type=name)
        if message.payload and message.payload not in procedure.forms:
            raise refuse(f"{where}.payload", "no_such_form", form=message.payload)
        for kind in message.documents:
            _check_document(procedure, kind, f"{where}.documents")


def _check_senders(procedure: Procedure) -> None:
    senders: dict[str, str] = {}
    for flow in procedure.collaboration.flows:
        first = senders.setdefault(flow.message_type, flow.source_role)
        if first != flow.source_role:
            raise refuse(
                f"process.bpmn#{flow.id}",
                "two_senders",
                message_type=flow.message_type,
                first=first,
                second=flow.source_role,
            )


def _check_flows(procedure: Procedure) -> None:
    for flow in procedure.collaboration.flows:
        message = procedure.messages.get(flow.message_type)
        where = f"messages.{flow.message_type}"
        if message is None:
            raise refuse(where, "missing", message_type=flow.message_type)
        if (message.source, message.to) != (flow.source_role, flow.target_role):
            raise refuse(
                where,
                "other_ends",
                drawn=f"{flow.source_role} → {flow.target_role}",
                declared=f"{message.source} → {message.to}",
            )


def _definitions(procedure: Procedure) -> Iterator[Definition]:
    for role in procedure.deployment.roles:
        yield procedure.definition(role)


def _check_elements(procedure: Procedure) -> None:
    for definition in _definitions(procedure):
        units = procedure.roles[definition.role].units if definition.role in procedure.roles else ()
        for node in definition.elements.values():
            _check_node(procedure, node, units)


def _check_node(procedure: Procedure, node: Node, units: tuple[str, ...]) -> None:
    extension = node.extension
    where = procedure.place_of(node.id)
    if extension.form and extension.form not in procedure.forms:
        raise refuse(where, "no_such_form", form=extension.form)
    if extension.register and extension.register not in procedure.registers:
        raise refuse(where, "no_such_register", book=extension.register)
    if extension.pause and extension.pause not in procedure.pauses:
        raise refuse(where, "no_such_pause", basis=extension.pause)
    _check_people(node, where)
    unit = extension.assign.unit if extension.assign else None
    if unit and units and unit not in units:
        raise refuse(where, "no_such_unit", unit=unit)
    for kind in (*extension.documents_in, *extension.documents_out, *extension.sign_documents):
        _check_document(procedure, kind, where)
    if extension.due and is_literal(extension.due):
        _check_due(extension.due, where)


def _check_people(node: Node, where: str) -> None:
    """Check that somebody can claim the work: a role of the domain, or named people."""
    assign = node.extension.assign
    if node.kind in (Kind.USER_TASK, Kind.MANUAL_TASK) and assign is None:
        raise refuse(where, "nobody_assigned")
    known = [role.value for role in Role]
    if assign is not None and assign.role and assign.role not in known:
        raise refuse(where, "no_such_role", role=assign.role, allowed=", ".join(known))


def _check_due(text: str, where: str) -> None:
    try:
        if text[:4].isdigit():
            parse_instant(text)
        else:
            parse_allowance(text)
    except Rejected as exc:
        raise refuse(where, "not_a_duration") from exc


def _check_document(procedure: Procedure, kind: str, where: str) -> None:
    if procedure.documents and kind not in procedure.documents:
        raise refuse(where, "no_such_document", kind=kind)


def _check_parameters(procedure: Procedure) -> None:
    for definition in _definitions(procedure):
        compiled = definition.compiled
        sources = [*compiled.expressions, *(script.source for script in compiled.scripts.values())]
        for source in sources:
            for name in _PARAMETER.findall(source):
                if name not in procedure.parameters:
                    raise refuse(f"parameters.{name}", "missing", parameter=name)


def _check_labels(procedure: Procedure) -> None:
    for element in procedure.english:
        if element not in procedure.labels:
            raise refuse(f"elements.{element}", "no_such_element", element=element)
