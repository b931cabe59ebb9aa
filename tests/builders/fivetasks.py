"""The load of the worker's figures: a sequence of five tasks, each followed by a message.

One transition takes a completed task: the engine steps, and one commit holds its history, the log
leaves, the outbox row, the next task and the instance's new state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from dossier.clock import SystemClock
from exchange import submit
from exchange.node import Node
from exchange.publish import publish
from storage import facts, sql
from storage.facts import FactKind, NewFact
from storage.transactions import transaction
from tests.builders.chaos import ACTOR, COMMUNE
from tests.builders.workflows import draw_pools

CODE = "five"
QUIET = "five-quiet"  # the same without messages, where nobody is to deliver any
TASKS = 5
_TOML = """
[procedure]
code = "{code}"
version = "1"
name = {{ vi = "Năm việc", en = "Five tasks" }}
effective = 2020-01-01
citation = "-"

[roles.commune]
name = {{ vi = "UBND xã", en = "Commune" }}
bind = "initiator"

[elements]
pool_commune = "Commune"
"""
_TAX = """pool_tax = "Tax office"

[roles.tax]
name = { vi = "Cơ quan thuế", en = "Tax office" }
bind = "directory:tax"
"""
_NOTE = """
[messages.note{number}]
name = {{ vi = "Báo", en = "Note" }}
from = "commune"
to = "tax"
"""


def _sending() -> Mapping[str, bytes]:
    steps = range(TASKS)
    commune = [f"user t{n} lt:assign.role=specialist\nsend n{n}" for n in steps]
    tax = [f"start s{n} message=note{n}\nend e{n}\ns{n} > e{n}" for n in steps]
    flow = " > ".join(f"t{n} > n{n}" for n in steps)
    notes = [_NOTE.format(number=number) for number in steps]
    return {
        "procedure.toml": "".join([_TOML.format(code=CODE), _TAX, *notes]).encode(),
        "process.bpmn": draw_pools(
            {"commune": _drawn(commune, flow), "tax": "\n".join(tax)},
            "\n".join(f"n{n} > s{n} : note{n}" for n in steps),
        ),
    }


def _quiet() -> Mapping[str, bytes]:
    commune = [f"user t{n} lt:assign.role=specialist" for n in range(TASKS)]
    flow = " > ".join(f"t{n}" for n in range(TASKS))
    return {
        "procedure.toml": _TOML.format(code=QUIET).encode(),
        "process.bpmn": draw_pools({"commune": _drawn(commune, flow)}, ""),
    }


def _drawn(elements: Sequence[str], flow: str) -> str:
    return "\n".join(["start s", *elements, "end e", f"s > {flow} > e"])


def publish_five_tasks() -> None:
    """Publish the procedure, with messages and without, on the node of this process."""
    for files in (_sending(), _quiet()):
        publish(files, at=SystemClock().now(), proposed_by="load.one", confirmed_by="load.two")


def open_five_tasks(node: Node, count: int, *, procedure: str = CODE) -> None:
    """Open that many dossiers; a drain then opens the first task of each."""
    for number in range(count):
        submit.submit(node, ACTOR, procedure=procedure, agency=COMMUNE, subject=f"load {number}")


def complete_all(node: Node) -> int:
    """Store a fact for each open task, as completing it does, and return how many."""
    return complete(node, sql.all_rows("SELECT instance, token FROM task WHERE state = 'open'"))


def complete(node: Node, tasks: Sequence[tuple[str, str]]) -> int:
    """Store a fact for each of these tasks, given by instance and token."""
    at = node.now()
    with transaction():
        for instance, token in tasks:
            facts.add(
                NewFact(
                    instance=UUID(instance),
                    kind=FactKind.TASK_COMPLETED,
                    ref=token,
                    payload={"values": {}},
                    actor="load",
                    on_behalf_of="",
                    at=at,
                )
            )
    return len(tasks)
