"""One node that hosts every agency of the demo, driven by calling its drains in turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from dossier.clock import SystemClock, VirtualClock
from dossier.model import Actor, Dossier, Task, TaskState
from exchange import (
    accounts,
    advance,
    call_service,
    correlate,
    deliver,
    reminders,
    starts,
    submit,
    taskwork,
    timers,
)
from exchange.demo.fixture import Fixture, load_fixture
from exchange.demo.layout import Home, lay_out, renew_crls
from exchange.demo.seed import seed_node
from exchange.node import Node
from exchange.settings import Settings, load
from exchange.wiring import build
from storage import dossiers, dump, tasks
from storage.transactions import transaction

BUDGET = timedelta(seconds=5)
NAME = "all"
APPLICATION = b"%PDF-1.4\n%%EOF\n"
SUBJECT = "V/v nghiên cứu, học tập kinh nghiệm"
LETTER = {
    "letter_subject": SUBJECT,
    "letter_body": "Đề nghị tạo điều kiện để đoàn công tác đến học tập kinh nghiệm.",
    "letter_signer_title": "PHÓ CHỦ TỊCH",
    "letter_signer_name": "Lãnh đạo UBND tỉnh Hòa Bình",
    "delegation_size": "12",
}
REPLY = {
    "reply_subject": "V/v đón đoàn công tác",
    "reply_body": "UBND tỉnh Bình Định nhất trí đón đoàn công tác.",
    "reply_signer_title": "PHÓ CHỦ TỊCH",
    "reply_signer_name": "Lãnh đạo UBND tỉnh Bình Định",
}
CONTRIBUTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "contribute_service_centre": (
        "bd.pvhcc",
        {"service_centre_contribution": "Sẵn sàng đón đoàn."},
    ),
    "contribute_ioc": (
        "bd.stttt",
        {
            "online_services_contribution": "Giới thiệu dịch vụ công.",
            "ioc_contribution": "Giới thiệu IOC.",
        },
    ),
    "contribute_home_affairs": ("bd.snv", {"reception_contribution": "Bố trí đón tiếp."}),
}


def one_node_fixture() -> Fixture:
    """Return the demo's fixture with everything on one node."""
    fixture = load_fixture()
    return replace(
        fixture,
        nodes=(replace(fixture.nodes[0], name=NAME),),
        agencies=tuple(replace(one, node=NAME) for one in fixture.agencies),
        people=tuple(replace(one, node=NAME) for one in fixture.people),
    )


def laid_out(root: Path) -> Home:
    """Lay out the home of the one node."""
    home = Home(root=root)
    now = SystemClock().now()
    lay_out(home, fixture=one_node_fixture(), ports={NAME: 8028}, at=now)
    return home


def open_node(home: Home, *, database_url: str) -> OneNode:
    """Fill the (empty, migrated) database of this process and return the node on it."""
    here = load(
        {
            "LIENTHONG_HOME": str(home.root),
            "LIENTHONG_NODE": NAME,
            "LIENTHONG_DATABASE_URL": database_url,
        }
    )
    _seed(home, here)
    clock = VirtualClock(at=SystemClock().now())
    logins = json.loads(home.logins.read_text())[NAME]
    return OneNode(node=build(here, clock=clock), clock=clock, home=home, logins=logins)


def _seed(home: Home, here: Settings) -> None:
    """Fill the database as the demo does; from the second time on with the very same rows."""
    number = here.trust_dir / "directory.number"
    if home.root not in _SEEDED:
        seed_node(here, fixture=one_node_fixture())
        rows = {table: list(dump.lines(table)) for table in dump.tables()}
        _SEEDED[home.root] = Seeded(rows=rows, directory_number=number.read_bytes())
        return
    seeded = _SEEDED[home.root]
    with transaction():
        for table, lines in seeded.rows.items():
            dump.write(table, lines)
        dump.continue_counting()
    number.write_bytes(seeded.directory_number)


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """What seeding a node wrote."""

    rows: Mapping[str, list[bytes]]  # by table
    directory_number: bytes


_SEEDED: dict[Path, Seeded] = {}  # by home; seeding costs a second, writing its rows a tenth


@dataclass(frozen=True, kw_only=True)
class OneNode:
    """The node, its clock and its people."""

    node: Node
    clock: VirtualClock
    home: Home
    logins: Mapping[str, Mapping[str, str]]

    def actor(self, username: str) -> Actor:
        """Return a person."""
        found = accounts.find(username, at=self.node.now())
        assert found is not None
        return found

    def pin(self, username: str) -> str:
        """Return the PIN of a person's key."""
        return self.logins[username]["pin"]

    def drain(self) -> bool:
        """Work off everything that is due, as the worker would; tell whether there was any."""
        worked = False
        while True:
            done = timers.fire_due(self.node).done + reminders.remind_due(self.node).done
            done += starts.open_due(self.node).done
            done += advance.drain_transitions(self.node, budget=BUDGET).done
            done += deliver.drain_outbox(self.node, budget=BUDGET).done
            done += correlate.drain_inbox(self.node, budget=BUDGET).done
            done += call_service.drain_calls(self.node, budget=BUDGET).done
            if not done:
                return worked
            worked = True

    def later(self, step: timedelta) -> None:
        """Let time pass, with fresh CRLs, and work off what came due."""
        self.clock.forward(step)
        renew_crls(self.home, nodes=[NAME], at=self.node.now())
        self.drain()

    def sides(self, code: str) -> dict[str, Dossier]:
        """Return the dossier as each agency holds it."""
        held = {one: dossiers.find(one, code) for one in self.node.hosted_agencies()}
        return {str(agency): one for agency, one in held.items() if one is not None}

    def open_tasks(self, code: str) -> dict[str, Task]:
        """Return the open tasks of all sides by element."""
        return {
            task.element_id: task
            for side in self.sides(code).values()
            for task in tasks.of_dossier(side.id)
            if task.state is TaskState.OPEN
        }

    def do(
        self, username: str, code: str, element: str, values: Mapping[str, str] | None = None
    ) -> None:
        """Let a person complete a step, signing if it asks for it, and work off what follows."""
        task = self.open_tasks(code)[element]
        taskwork.complete(
            self.node,
            self.actor(username),
            task.id,
            submitted=values or {},
            pin=self.pin(username) if task.signs else "",
        )
        self.drain()

    def start_letter(self) -> str:
        """Open the letter's dossier and return its code."""
        opened = submit.submit(
            self.node,
            self.actor("hb.chuyenvien"),
            procedure="official-letter",
            agency="000.00.00.H28",
            subject=SUBJECT,
            addressee="000.00.00.H08",
        )
        self.drain()
        return dossiers.get(opened).code

    def send_letter(self) -> str:
        """Let Hòa Bình draft, sign, number and send the letter; return its code."""
        code = self.start_letter()
        self.do("hb.chuyenvien", code, "draft_letter", LETTER)
        self.do("hb.lanhdao", code, "sign_letter")
        self.do("hb.vanthu", code, "number_letter")
        return code

    def answer_letter(self, code: str) -> None:
        """Let Bình Định work on the letter and send its reply."""
        self.do("bd.vanthu", code, "register_letter")
        self.do("bd.lanhdao", code, "assign_units", {"instruction": "Giao các đơn vị."})
        for element, (username, values) in CONTRIBUTIONS.items():
            self.do(username, code, element, values)
        self.do("bd.vanphong", code, "draft_reply", REPLY)
        self.do("bd.lanhdao", code, "sign_reply")
        self.do("bd.vanthu", code, "number_reply")

    def close_letter(self, code: str) -> None:
        """Let Hòa Bình register and acknowledge the reply."""
        self.do("hb.vanthu2", code, "register_reply")
        self.do("hb.chuyenvien", code, "acknowledge_reply", {"reply_judgement": "complete"})

    def start_business(self, *, check: str = "approve") -> str:
        """Let the commune receive and check an application; return its code."""
        opened = submit.submit(
            self.node,
            self.actor("tp.motcua"),
            procedure="household-business",
            agency="000.31.01.H08",
            subject="Đăng ký hộ kinh doanh",
        )
        self.drain()
        code = dossiers.get(opened).code
        document = self.attach("tp.motcua", opened, kind="application")
        self.do(
            "tp.motcua",
            code,
            "receive_application",
            {
                "business_name": "Tạp hóa Ghềnh Ráng",
                "business_address": "Phường Trần Phú",
                "business_lines": "Bán lẻ",
                "owner_name": "Chủ hộ",
                "owner_id": "052099000001",
                "application_file": str(document),
                "components_complete": "on",
            },
        )
        values = {"check_decision": check, "check_reason": "Tên hộ kinh doanh bị trùng"}
        self.do("tp.kinhte", code, "check_application", values)
        return code

    def attach(self, username: str, dossier: UUID, *, kind: str) -> UUID:
        """Let a person upload a document and return its id."""
        from exchange import attach  # noqa: PLC0415 - the method bears the module's name

        return attach.upload(
            self.node,
            self.actor(username),
            dossier,
            name="Giấy đề nghị.pdf",
            kind=kind,
            content=APPLICATION,
        ).id

    def finish_business(self, code: str) -> None:
        """Let the commune certify, sign, number and hand over."""
        self.do(
            "tp.kinhte",
            code,
            "check_certificate",
            {
                "certificate_signer_title": "CHỦ TỊCH",
                "certificate_signer_name": "Lãnh đạo UBND phường",
            },
        )
        self.do("tp.lanhdao", code, "sign_certificate")
        self.do("tp.vanthu", code, "number_certificate")
        self.do(
            "tp.motcua",
            code,
            "return_result",
            {"result_receiver": "Chủ hộ", "result_form": "desk"},
        )
