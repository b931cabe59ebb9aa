"""Two real nodes, a process each, with SOAP between them and clocks that the test moves.

The parent drives them by name of a method over a pipe; what crosses between the nodes is sealed
containers over HTTP and nothing else.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings as django_conf

from dossier.canonical import Json
from dossier.clock import VirtualClock
from dossier.form import FieldKind
from dossier.model import Role, RoleBinding, TaskState
from exchange import attach, submit, taskwork
from exchange.boot import boot
from exchange.demo.fixture import DemoPerson, Fixture, load_fixture
from exchange.demo.layout import Home, lay_out, renew_crls
from exchange.demo.seed import seed_node
from exchange.settings import Settings, load
from exchange.wiring import build, soap_endpoint
from storage import cases, dossiers, history, incidents, messages, schema, tasks
from tests.builders.demo import Ports, free_ports
from tests.builders.exchange import OneNode
from tests.builders.wire_server import served

NAMES: Final = ("h28", "h08")
# What begins procedures stays on its node; every partner of Bình Định moves to the other one.
_STAY: Final = ("000.31.01.H08", "000.00.00.H08", "000.00.09.H08", "000.00.10.H08",
                "000.00.13.H08", "000.00.14.H08", "000.00.00.H28")  # fmt: skip
_HUMAN: Final = (
    Role.INTAKE, Role.SPECIALIST, Role.LEADER, Role.CLERK, Role.FINANCE, Role.DELIVERY
)  # fmt: skip
_PATIENCE_SECONDS: Final = 60
_PDF: Final = b"%PDF-1.4\n%%EOF\n"


def fixture() -> Fixture:
    """Return the demo's fixture over two nodes, with one person of every role at each agency."""
    demo = load_fixture()
    agencies = tuple(
        replace(one, node=one.node if one.code in _STAY else "h28") for one in demo.agencies
    )
    admins = tuple(one for one in demo.people if one.username in demo.administrators(one.node))
    people = tuple(
        DemoPerson(
            node=one.node,
            username=_person(one.code),
            name=f"Cán bộ {one.name['vi']}",
            signs=True,
            bindings=tuple(RoleBinding(agency=one.code, role=role) for role in _HUMAN),
        )
        for one in agencies
    )
    return replace(demo, agencies=agencies, people=(*admins, *people))


def _person(agency: str) -> str:
    return f"p.{agency.lower()}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """An open task, as the parent sees it."""

    node: str
    agency: str
    element: str
    task: str


class TwoNodes:
    """The parent's hold on both nodes."""

    def __init__(self, home: Home, pipes: Mapping[str, Connection]) -> None:
        self._home = home
        self._pipes = pipes

    def ask(self, node: str, method: str, **arguments: Json) -> Any:  # noqa: ANN401 - as sent
        """Let one node do something and return what came of it."""
        self._send(node, method, arguments)
        return self._answer(node)

    def ask_all(self, method: str, **arguments: Json) -> dict[str, Any]:
        """Let both nodes do something at once."""
        for name in self._pipes:
            self._send(name, method, arguments)
        return {name: self._answer(name) for name in self._pipes}

    def settle(self) -> None:
        """Work off everything that is due, on both nodes in turn."""
        while any(self.ask(name, "drain") for name in self._pipes):
            pass

    def move_to(self, at: datetime) -> None:
        """Move both clocks, with fresh CRLs, and work off what came due."""
        renew_crls(self._home, nodes=list(NAMES), at=at)
        self.ask_all("move_to", at=at.isoformat())
        self.settle()

    def open_tasks(self, code: str) -> list[Opened]:
        """Return the open tasks of a dossier on all its sides."""
        return [
            Opened(node=name, agency=agency, element=element, task=task)
            for name in self._pipes
            for agency, element, task in self.ask(name, "open_tasks", code=code)
        ]

    def sides(self, code: str) -> dict[str, Mapping[str, Json]]:
        """Return the dossier as each agency's pool holds it, by role."""
        found: dict[str, Mapping[str, Json]] = {}
        for name in self._pipes:
            found |= self.ask(name, "sides", code=code)
        return found

    def _send(self, node: str, method: str, arguments: Mapping[str, Json]) -> None:
        self._pipes[node].send((method, dict(arguments)))

    def _answer(self, node: str) -> Any:  # noqa: ANN401 - what the other process sends
        if not self._pipes[node].poll(_PATIENCE_SECONDS):
            raise AssertionError(f"node {node} does not answer")
        is_done, answer = self._pipes[node].recv()
        if not is_done:
            raise AssertionError(f"node {node}: {answer}")
        return answer


@contextmanager
def two_nodes(root: Path, *, at: datetime) -> Iterator[TwoNodes]:
    """Lay out, fill and serve both nodes; their clocks stand at `at`."""
    home, ports = Home(root=root), free_ports()
    made = fixture()
    lay_out(home, fixture=made, ports={name: ports.of(name) for name in NAMES}, at=at)
    context = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for name in NAMES:
        pipes[name], theirs = context.Pipe()
        process = context.Process(target=_run, args=(root, name, ports, at, theirs), daemon=True)
        process.start()
        processes.append(process)
    both = TwoNodes(home, pipes)
    try:
        both.ask_all("drain")
        yield both
    finally:
        for pipe in pipes.values():
            pipe.send(("stop", {}))
        for process in processes:
            process.join(10)
            if process.is_alive():
                process.kill()


def _run(root: Path, name: str, ports: Ports, at: datetime, pipe: Connection) -> None:
    home = Home(root=root)
    here = load({"LIENTHONG_HOME": str(root), "LIENTHONG_NODE": name})
    boot(here)
    side = _Side(home, here, at)
    with served(side.endpoint, port=ports.of(name)):
        while True:
            method, arguments = pipe.recv()
            if method == "stop":
                return
            try:
                pipe.send((True, getattr(side, method)(**arguments)))
            except Exception as exc:  # noqa: BLE001 - told to the parent, whose test fails
                pipe.send((False, repr(exc)))


class _Side:
    """One node in its own process."""

    def __init__(self, home: Home, here: Settings, at: datetime) -> None:
        django_conf.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

        schema.migrate()
        seed_node(here, fixture=fixture())
        clock = VirtualClock(at=at)
        node = build(here, clock=clock)
        logins = json.loads(home.logins.read_text())[here.node]
        self.one = OneNode(node=node, clock=clock, home=home, logins=logins)
        self.endpoint = soap_endpoint(node)

    def move_to(self, at: str) -> None:
        """Move the clock."""
        self.one.clock.forward_to(datetime.fromisoformat(at))

    def drain(self) -> bool:
        """Work off everything that is due; tell whether there was anything."""
        return self.one.drain()

    def start(self, procedure: str, agency: str, addressee: str) -> str:
        """Open a dossier and return its code."""
        opened = submit.submit(
            self.one.node,
            self.one.actor(_person(agency)),
            procedure=procedure,
            agency=agency,
            subject="Hồ sơ nghiệm thu",
            addressee=addressee,
        )
        return dossiers.get(opened).code

    def open_tasks(self, code: str) -> list[tuple[str, str, str]]:
        """Return agency, element and id of the open tasks of this node's sides of a dossier."""
        return [
            (agency, task.element_id, str(task.id))
            for agency, side in self.one.sides(code).items()
            for task in tasks.of_dossier(side.id)
            if task.state is TaskState.OPEN
        ]

    def complete(self, code: str, agency: str, task: str, values: Mapping[str, Json]) -> None:
        """Let the agency's person complete a task, uploading what its form names."""
        found = tasks.get(UUID(task))
        person = _person(agency)
        actor = self.one.actor(person)
        side = self.one.sides(code)[agency]
        procedure = self.one.node.contracts().version(side.procedure, side.procedure_version)
        kinds = {
            field.name: field.document_kind
            for field in (procedure.forms[found.form].fields if found.form else ())
            if field.kind is FieldKind.DOCUMENT
        }
        submitted = {}
        for name, value in values.items():
            submitted[name] = _typed(value)
            if name in kinds:
                document = attach.upload(
                    self.one.node,
                    actor,
                    side.id,
                    name=str(value),
                    kind=kinds[name],
                    content=_PDF,
                )
                submitted[name] = str(document.id)
        taskwork.complete(
            self.one.node,
            actor,
            found.id,
            submitted=submitted,
            pin=self.one.pin(person) if found.signs else "",
        )

    def sides(self, code: str) -> dict[str, dict[str, Json]]:
        """Return this node's sides of a dossier, by role."""
        return {
            side.role: {
                "status": side.business.value,
                "open": side.is_open,
                "due": side.due.isoformat() if side.due else None,
                "rule_pack": side.rule_pack,
                "values": dict(cases.values(side.id)),
                "incidents": [one.code for one in incidents.of_dossier(side.id)],
                "sent": [one.message_type for one in messages.messages_of(side.id)],
                "history": [entry.kind for entry in history.of_dossier(side.id)],
                "silent": sorted(
                    {
                        str(entry.parameters["agency"])
                        for entry in history.of_dossier(side.id)
                        if entry.kind == "silence_fell"
                    }
                ),
            }
            for side in self.one.sides(code).values()
        }


def _typed(value: Json) -> str:
    """Return a value as a form of the portal sends it."""
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)
