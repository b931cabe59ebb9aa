"""A node to be broken: two agencies, one procedure between them, people who never tire.

Its dossiers go through every kind of step a worker drives: tasks, a message out, an instance that
a message starts, an answer back, and a timer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from dossier.clock import SystemClock
from dossier.directory import ANY, AccessRule
from dossier.errors import Conflict, Unavailable
from dossier.model import Actor, Role, RoleBinding
from exchange import submit, taskwork
from exchange.demo.fixture import Fixture, load_fixture
from exchange.demo.layout import Home, lay_out
from exchange.demo.seed import seed_node
from exchange.node import Node
from exchange.publish import publish
from exchange.settings import settings
from storage import schema, sql
from storage.transactions import transaction
from tests.builders.workflows import draw_pools

NODE = "h08"
COMMUNE, TAX = "000.31.01.H08", "000.08.52.G12"
PROCEDURE = "storm"
# What one dossier pair leaves behind when nothing was lost and nothing done twice.
MESSAGES_EACH = 2
TASKS_EACH = 4
_PORTS = {"h28": 18028, "h08": 18008}
ACTOR = Actor(
    user_id=0,
    username="storm",
    display_name="Storm",
    language="vi",
    bindings=tuple(
        RoleBinding(agency=agency, role=role)  # type: ignore[arg-type]  # parsed by the fixture
        for agency in (COMMUNE, TAX)
        for role in (Role.SPECIALIST, Role.INTAKE)
    ),
)

_BPMN = draw_pools(
    {
        "commune": """
            start s
            user a lt:assign.role=specialist
            user b lt:assign.role=specialist
            send ask
            receive answer
            catch pause duration=PT1S
            user c lt:assign.role=specialist
            end e
            s > a > b > ask > answer > pause > c > e
        """,
        "tax": """
            start asked message=question
            user d lt:assign.role=specialist
            send reply
            end f
            asked > d > reply > f
        """,
    },
    """
        ask > asked : question
        reply > answer : reply
    """,
)
_TOML = """
[procedure]
code = "storm"
version = "1"
name = { vi = "Thử bão", en = "Storm" }
effective = 2020-01-01
citation = "-"

[roles.commune]
name = { vi = "UBND xã", en = "Commune" }
bind = "initiator"

[roles.tax]
name = { vi = "Cơ quan thuế", en = "Tax office" }
bind = "directory:tax"

[messages.question]
name = { vi = "Hỏi", en = "Question" }
from = "commune"
to = "tax"

[messages.reply]
name = { vi = "Đáp", en = "Answer" }
from = "tax"
to = "commune"

[deadline]
total = "3wd"
mode = "day"
citation = "-"

[elements]
pool_commune = "Commune"
pool_tax = "Tax office"
"""
FILES: Mapping[str, bytes] = {"procedure.toml": _TOML.encode(), "process.bpmn": _BPMN}


def storm_fixture() -> Fixture:
    """Return the demo's agencies with a rule that lets them exchange this procedure."""
    rule = AccessRule(client=ANY, server=ANY, procedure=ANY, message_type=ANY)
    return replace(load_fixture(), rules=(rule,))


def lay_out_storm(root: Path, *, database_url: str) -> Path:
    """Write the folders of the node and return its home; settings must name it afterwards."""
    home = Home(root=root)
    lay_out(home, fixture=storm_fixture(), ports=_PORTS, at=SystemClock().now())
    with (home.node(NODE) / "node.env").open("a") as file:
        file.write(f"LIENTHONG_DATABASE_URL={database_url}\n")
        # A killed attempt counts; the waits must not outlast the storm.
        file.write("LIENTHONG_DELIVERY_ATTEMPTS=50\nLIENTHONG_DELIVERY_BASE_SECONDS=1\n")
        # One connection for both threads of a web process: every request meets a busy pool.
        file.write("LIENTHONG_DELIVERY_CAP_SECONDS=3\nLIENTHONG_DATABASE_POOL=1\n")
    return home.node(NODE)


def fill_storm() -> None:
    """Migrate and fill the database of the node that this process has booted as."""
    schema.migrate()
    seed_node(settings(), fixture=storm_fixture())
    publish(FILES, at=SystemClock().now(), proposed_by="storm.one", confirmed_by="storm.two")


def open_dossiers(node: Node, count: int) -> list[UUID]:
    """Open that many dossiers at the commune."""
    return [
        submit.submit(node, ACTOR, procedure=PROCEDURE, agency=COMMUNE, subject=f"storm {number}")
        for number in range(count)
    ]


def complete_open_tasks(node: Node, *, most: int = 50) -> int:
    """Complete open tasks once, as people would; what moved meanwhile is left alone."""
    rows = sql.all_rows(
        "SELECT id FROM task WHERE state = 'open' ORDER BY opened LIMIT %s", (most,)
    )
    done = 0
    for (task,) in rows:
        try:
            taskwork.complete(node, ACTOR, UUID(task), submitted={})
            done += 1
        except (Conflict, Unavailable):
            continue
    return done


def count_open() -> int:
    """Return how many dossiers are not closed yet."""
    return int(sql.the_row("SELECT COUNT(*) FROM dossier WHERE is_open = %s", (True,))[0])


def clear_work() -> None:
    """Delete every dossier and the log, and keep agencies, directory, people and procedures."""
    tables = (
        *("task", "fact", "subscription", "timer", "instance", "case_value", "pause"),
        *("document_signature", "document", "history", "incident", "attempt", "outbox", "inbox"),
        *("log_pending", "log_entry", "log_tile", "log_state", "checkpoint", "dossier"),
        "dossier_counter",  # of codes: an agency has 9,999 a day
    )
    with transaction():
        for table in tables:
            sql.execute(f"DELETE FROM {table}")


def pass_time() -> None:
    """Make everything due that waits for its time, without waiting."""
    with transaction():
        sql.execute("UPDATE timer SET due = 0 WHERE fired = %s", (False,))
        sql.execute("UPDATE outbox SET next_at = 0 WHERE state = 'new'")
        sql.execute("UPDATE arrival SET due = 0")
        sql.execute("UPDATE instance SET ready_at = 0, lease_until = 0 WHERE status = 'ready'")
