"""Store what came with a fact: mapped outputs if the element has any, else every value."""

from __future__ import annotations

from dossier.errors import Rejected
from workflows.evaluating import evaluate
from workflows.expressions import Value
from workflows.graph import SCOPES, Kind, Node
from workflows.loops import collect
from workflows.names import PARAMETERS
from workflows.specs import Token
from workflows.state import decode_locals, encode_locals
from workflows.walk import KEPT, UNMAPPED, Walk, fail_with, is_live


def receive(walk: Walk, token: Token, node: Node, values: dict[str, Value], index: int = 0) -> None:
    """Write the values of a fact; raise what a mapping raises, with the values kept.

    The raw values are stored before a failed mapping stops the token, so a retry maps them again
    and nothing that a person or an agency sent is lost.
    """
    is_scope = node.kind in SCOPES or node.kind is Kind.CALL_ACTIVITY
    values = values or decode_locals(token.internal_data.pop(KEPT, {}))
    try:
        left = collect(walk, token, values) if is_live(token) else values
        if node.extension.outputs:
            left = {
                name: evaluate(walk, token, text, values) for name, text in node.extension.outputs
            }
        elif is_scope:
            left = {}  # what a call has for itself ends with it
        walk.write_in(token.workflow, left)
    except Rejected:
        if is_scope:
            token.internal_data[KEPT] = encode_locals(values)
        else:
            raw = {name: value for name, value in values.items() if name != PARAMETERS}
            walk.write_in(token.workflow, raw)
        token.internal_data[UNMAPPED] = index
        raise


def receive_or_fail(
    walk: Walk, token: Token, node: Node, values: dict[str, Value], index: int = 0
) -> bool:
    """Do the same and turn a failure into an incident; tell whether it went well."""
    try:
        receive(walk, token, node, values, index)
    except Rejected as exc:
        return fail_with(walk, token, exc)
    return True
