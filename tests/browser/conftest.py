"""One node of the demo as its own processes, with dossiers at several stages, and a browser."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page
from rich.console import Console

from dossier.clock import SystemClock
from exchange.demo.fixture import load_fixture
from exchange.demo.layout import Home, lay_out, renew_crls
from lienthong.demo import launch, story
from tests.builders.chromium import chromium

NODE = "h08"
COMMUNE = "000.31.01.H08"
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
APPLICATION = {
    "business_name": "Hiệu thuốc Trần Phú",
    "business_address": "Phường Trần Phú, thành phố Quy Nhơn",
    "business_lines": "Bán lẻ",
    "owner_name": "Chủ hộ kinh doanh",
    "owner_id": "052099000001",
    "components_complete": "on",
}
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """The running node and what is on it."""

    origin: str
    home: Home
    logins: Mapping[str, Mapping[str, str]]
    fresh: str  # code of a dossier whose first step is open
    received: str  # code of a dossier that waits for the specialist
    waiting: str  # code of a dossier that waits for the tax office
    closed: str  # code of a dossier that went all its way

    def log_in(self, page: Page, username: str) -> None:
        """Log a person in."""
        page.goto(f"{self.origin}/login")
        page.fill("#username", username)
        page.fill("#password", self.logins[username]["password"])
        page.click("form[action='/login'] button")
        page.wait_for_url("**/desk")

    def open_dossier(self, page: Page, code: str) -> None:
        """Open the page of a dossier."""
        page.goto(f"{self.origin}/dossiers?q={code}")
        page.click("li[data-code] a")

    def open_task(self, page: Page, code: str, element: str) -> None:
        """Open a task from the desk."""
        page.goto(f"{self.origin}/desk")
        page.click(f"[data-code='{code}'][data-element='{element}'] a.title")


def file(name: str, content: bytes) -> FilePayload:
    """Return a file as a person would choose it."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Yield a node that is serving."""
    home = Home(root=tmp_path_factory.mktemp("site"))
    ports = {NODE: _free_port(), "h28": _free_port()}
    fixture, now = load_fixture(), SystemClock().now()
    lay_out(home, fixture=fixture, ports=ports, at=now)
    launch.run_command(home.root, NODE, "migrate")
    launch.run_command(home.root, NODE, "demo", "--seed")
    node = launch.start(home.root, NODE, origin=f"http://127.0.0.1:{ports[NODE]}")
    try:
        launch.wait_ready(node)
        yield _played(home, node)
    finally:
        launch.stop([node])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield a browser."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Yield an empty tab that complains when a page breaks its own content policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="vi-VN")
    tab = context.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    yield tab
    context.close()
    assert [one for one in said if "Failed to load resource" not in one] == []


def _played(home: Home, node: launch.RunningNode) -> Site:
    stage = story.stage_of(Console(quiet=True), home, [node])
    closed = story.start_business(stage, name="Tạp hóa Ghềnh Ráng")
    story.do(stage, "thue.canbo", closed, "assign_tax_code", {"tax_code": "4101567890"})
    story.finish_business(stage, closed)
    waiting = story.start_business(stage, name="Quán cà phê Thị Nại")
    received = _opened(stage, "Hiệu thuốc Trần Phú")
    file = {"application_file": ("giấy đề nghị.pdf", story.APPLICATION)}
    story.do(stage, "tp.motcua", received, "receive_application", APPLICATION, files=file)
    fresh = _opened(stage, "Tiệm may đo áo dài và sửa quần áo các loại Hương Giang")
    renew_crls(home, nodes=[NODE], at=SystemClock().now())
    logins = json.loads(home.logins.read_text())[NODE]
    return Site(
        origin=node.origin,
        home=home,
        logins=logins,
        fresh=fresh,
        received=received,
        waiting=waiting,
        closed=closed,
    )


def _opened(stage: story.Stage, name: str) -> str:
    page = story.open_dossier(
        stage,
        "tp.motcua",
        procedure=f"household-business@{COMMUNE}",
        subject=f"Đăng ký hộ kinh doanh: {name}",
    )
    return next(mark["code"] for mark in page.marks if "open" in mark)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
