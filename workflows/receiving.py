"""Store what came with a fact: mapped outputs if the element has any, else every value."""

from __future__ import annotations

from dossier.errors import Rejected
from workflows.evaluating import evaluate
from workflows.expressions import Value
from workflows.graph import Node
from workflows.loops import collect
from workflows.specs import Token
from workflows.walk import PARAMETERS, UNMAPPED, Walk, fail_with, is_live


def receive(walk: Walk, token: Token, node: Node, values: dict[str, Value], index: int = 0) -> None:
    """Write the values of a fact; raise what a mapping raises, with the values kept.

    The raw values are stored before a failed mapping stops the token, so a retry maps them again
    and nothing that a person or an agency sent is lost.
    """
    try:
        left = collect(walk, token, values) if is_live(token) else values
        if node.extension.outputs:
            left = {
                name: evaluate(walk, token, text, values) for name, text in node.extension.outputs
            }
        walk.write(left)
    except Rejected:
        walk.write({name: value for name, value in values.items() if name != PARAMETERS})
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
