"""Which case values an element reads: their names can be shown where their contents may not."""

from __future__ import annotations

from workflows.compiling import texts_of
from workflows.definition import Definition
from workflows.names import PARAMETERS


def names_read(definition: Definition, element: str) -> tuple[str, ...]:
    """Return the names in the expressions of an element and of its ways out, sorted."""
    node = definition.elements.get(element)
    if node is None:
        return ()
    flows = definition.process.flows
    conditions = (flows[flow].condition for flow in node.outgoing)
    texts = [*texts_of(node), *filter(None, conditions)]
    table = definition.compiled.expressions
    names = {name for text in texts if text in table for name in table[text].names}
    script = definition.compiled.scripts.get(element)
    if script is not None:
        names |= script.names
    return tuple(sorted(names - {PARAMETERS}))
