"""What the demo's people do, over HTTP with their own logins: the letter (P8) and the shop (P6).

Each step is found on a person's desk and done in its form, as a person would; nothing is called
behind the portal's back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console

from dossier.clock import SystemClock
from exchange.demo.fixture import Fixture
from exchange.demo.layout import Home, renew_crls
from lienthong.demo.browser import Browser, Page
from lienthong.demo.launch import RunningNode
from lienthong.errors import PageRefused

_PATIENCE_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.15

APPLICATION: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)

SUBJECT: Final = (
    "V/v nghiên cứu, học tập kinh nghiệm mô hình Trung tâm Phục vụ hành chính công, "
    "dịch vụ công trực tuyến mức độ 3, 4 và Trung tâm điều hành đô thị thông minh"
)

LETTER: Final = {
    "letter_subject": SUBJECT,
    "letter_body": (
        "UBND tỉnh Hòa Bình trân trọng đề nghị UBND tỉnh Bình Định tạo điều kiện để đoàn công tác "
        "của tỉnh đến nghiên cứu, học tập kinh nghiệm về tổ chức và hoạt động của Trung tâm Phục "
        "vụ hành chính công, việc cung cấp dịch vụ công trực tuyến mức độ 3, mức độ 4 và mô hình "
        "Trung tâm điều hành đô thị thông minh.\n"
        "Rất mong nhận được sự quan tâm, phối hợp của quý Ủy ban."
    ),
    "visit_from": "2026-12-14",
    "visit_to": "2026-12-16",
    "delegation_size": "12",
    "letter_signer_title": "KT. CHỦ TỊCH – PHÓ CHỦ TỊCH",
    "letter_signer_name": "Lãnh đạo UBND tỉnh Hòa Bình",
    "letter_recipients": "Như trên\nLưu: VT, NC",
}
CONTRIBUTIONS: Final = {
    "contribute_service_centre": (
        "bd.pvhcc",
        {"service_centre_contribution": "Trung tâm sẵn sàng đón đoàn và giới thiệu mô hình."},
    ),
    "contribute_ioc": (
        "bd.stttt",
        {
            "online_services_contribution": "Giới thiệu dịch vụ công trực tuyến mức độ 3, 4.",
            "ioc_contribution": "Giới thiệu Trung tâm điều hành đô thị thông minh.",
        },
    ),
    "contribute_home_affairs": (
        "bd.snv",
        {"reception_contribution": "Bố trí đón đoàn và chương trình làm việc hai ngày."},
    ),
}
REPLY: Final = {
    "reply_subject": "V/v đón đoàn công tác của tỉnh Hòa Bình",
    "reply_body": (
        "UBND tỉnh Bình Định nhất trí đón đoàn công tác của UBND tỉnh Hòa Bình.\n"
        "Chương trình làm việc gồm: Trung tâm Phục vụ hành chính công, dịch vụ công trực tuyến "
        "mức độ 3, mức độ 4 và Trung tâm điều hành đô thị thông minh."
    ),
    "agreed_from": "2026-12-14",
    "agreed_to": "2026-12-16",
    "reply_signer_title": "KT. CHỦ TỊCH – PHÓ CHỦ TỊCH",
    "reply_signer_name": "Lãnh đạo UBND tỉnh Bình Định",
    "reply_recipients": "Như trên\nLưu: VT",
}


@dataclass(kw_only=True, slots=True)
class Stage:
    """Mutable, as people log in: the people of the running demo and what they have done."""

    console: Console
    logins: Mapping[str, Mapping[str, Mapping[str, str]]]
    origins: Mapping[str, str]
    _browsers: dict[str, Browser] = field(default_factory=dict)

    def person(self, username: str) -> Browser:
        """Return a person's browser, logged in at their node."""
        if username not in self._browsers:
            node = self._node_of(username)
            browser = Browser(self.origins[node])
            browser.login(username, self.logins[node][username]["password"])
            self._browsers[username] = browser
        return self._browsers[username]

    def pin(self, username: str) -> str:
        """Return the PIN of a person's signing key."""
        return self.logins[self._node_of(username)][username]["pin"]

    def forget(self) -> None:
        """Close all browsers: everybody logs in anew."""
        self._browsers.clear()

    def _node_of(self, username: str) -> str:
        return next(node for node, people in self.logins.items() if username in people)


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A dossier that was played, as each of its nodes knows it."""

    name: str
    code: str
    nodes: tuple[str, ...]


def stage_of(console: Console, home: Home, nodes: list[RunningNode]) -> Stage:
    """Return the stage of a running demo."""
    return Stage(
        console=console,
        logins=json.loads(home.logins.read_text()),
        origins={node.name: node.origin for node in nodes},
    )


def play(stage: Stage) -> list[Played]:
    """Play the letter, and the shop twice: with a tax office that answers and with a silent one."""
    console = stage.console
    silent = start_business(stage, name="Quán cà phê Thị Nại")
    letter = play_letter(stage)
    answered = start_business(stage, name="Tạp hóa Ghềnh Ráng")
    do(stage, "thue.canbo", answered, "assign_tax_code", {"tax_code": "4101567890"})
    finish_business(stage, answered)
    console.print("[green]✓[/] P6: the tax office answered, the certificate is handed over")
    do(
        stage,
        "tp.kinhte",
        silent,
        "enter_tax_code",
        {"tax_code": "4101567891", "tax_contact_note": "Đã gọi điện cho cơ quan thuế."},
    )
    finish_business(stage, silent)
    console.print(
        "[green]✓[/] P6: the tax office stayed silent, the timer gave the task to a person"
    )
    return [
        letter,
        Played(name="p6-answered", code=answered, nodes=("h08",)),
        Played(name="p6-silent", code=silent, nodes=("h08",)),
    ]


def play_letter(stage: Stage) -> Played:
    """Play the letter from Hòa Bình to Bình Định and back (P8)."""
    code = start_letter(stage)
    send_letter(stage, code)
    stage.console.print("[green]✓[/] P8: the letter is signed, numbered, sealed and sent")
    answer_letter(stage, code)
    stage.console.print("[green]✓[/] P8: three units contributed, the reply is signed and sent")
    close_letter(stage, code)
    stage.console.print("[green]✓[/] P8: the reply reached its dossier, both sides are closed")
    return Played(name="p8-letter", code=code, nodes=("h28", "h08"))


def start_letter(stage: Stage) -> str:
    """Open the letter's dossier and return its code."""
    page = open_dossier(
        stage,
        "hb.chuyenvien",
        procedure="official-letter@000.00.00.H28",
        subject=SUBJECT,
        addressee="000.00.00.H08",
    )
    return _code_of(page)


def send_letter(stage: Stage, code: str) -> None:
    """Draft, sign and number the letter; it is sent by the node."""
    do(stage, "hb.chuyenvien", code, "draft_letter", LETTER)
    do(stage, "hb.lanhdao", code, "sign_letter", {}, pin=True)
    do(stage, "hb.vanthu", code, "number_letter", {})


def answer_letter(stage: Stage, code: str) -> None:
    """Register, assign, contribute, draft, sign and number the reply at the other node."""
    do(stage, "bd.vanthu", code, "register_letter", {})
    do(stage, "bd.lanhdao", code, "assign_units", {"instruction": "Giao các đơn vị góp ý."})
    for element, (username, contribution) in CONTRIBUTIONS.items():
        do(stage, username, code, element, contribution)
    do(stage, "bd.vanphong", code, "draft_reply", REPLY)
    do(stage, "bd.lanhdao", code, "sign_reply", {}, pin=True)
    do(stage, "bd.vanthu", code, "number_reply", {})


def close_letter(stage: Stage, code: str) -> None:
    """Register the reply, acknowledge it, and wait until both sides are closed."""
    do(stage, "hb.vanthu2", code, "register_reply", {})
    do(stage, "hb.chuyenvien", code, "acknowledge_reply", {"reply_judgement": "complete"})
    for username in ("hb.chuyenvien", "bd.vanphong"):
        wait_closed(stage, username, code)


def start_business(stage: Stage, *, name: str) -> str:
    """Hand in an application and send its registration to the tax office."""
    page = open_dossier(
        stage,
        "tp.motcua",
        procedure="household-business@000.31.01.H08",
        subject=f"Đăng ký hộ kinh doanh: {name}",
    )
    code = _code_of(page)
    do(
        stage,
        "tp.motcua",
        code,
        "receive_application",
        {
            "business_name": name,
            "business_address": "Phường Trần Phú, thành phố Quy Nhơn",
            "business_lines": "Bán lẻ",
            "owner_name": "Chủ hộ kinh doanh",
            "owner_id": "052099000001",
            "components_complete": "on",
        },
        files={"application_file": ("giấy đề nghị.pdf", APPLICATION)},
    )
    do(stage, "tp.kinhte", code, "check_application", {"check_decision": "approve"})
    return code


def finish_business(stage: Stage, code: str) -> None:
    """Check, sign and number the certificate, hand it over."""
    do(
        stage,
        "tp.kinhte",
        code,
        "check_certificate",
        {
            "certificate_signer_title": "CHỦ TỊCH",
            "certificate_signer_name": "Lãnh đạo UBND phường Trần Phú",
        },
    )
    do(stage, "tp.lanhdao", code, "sign_certificate", {}, pin=True)
    do(stage, "tp.vanthu", code, "number_certificate", {})
    do(
        stage,
        "tp.motcua",
        code,
        "return_result",
        {"result_receiver": "Chủ hộ kinh doanh", "result_form": "desk"},
    )
    wait_closed(stage, "tp.motcua", code)


def open_dossier(
    stage: Stage, username: str, *, procedure: str, subject: str, addressee: str = ""
) -> Page:
    """Open a dossier as a person would and return its page."""
    browser = stage.person(username)
    form = browser.get("/dossiers/new").form("/dossiers/new")
    return browser.submit(
        form, {"procedure": procedure, "subject": subject, "addressee": addressee}
    )


def do(
    stage: Stage,
    username: str,
    code: str,
    element: str,
    values: Mapping[str, str],
    *,
    pin: bool = False,
    files: Mapping[str, tuple[str, bytes]] | None = None,
) -> Page:
    """Wait until the step is on the person's desk, then fill in its form and complete it."""
    browser = stage.person(username)
    row = wait(
        lambda: next(iter(browser.get("/desk").marked(code=code, element=element)), None),
        what=f"{element} of {code} on the desk of {username}",
    )
    task = row["task"]
    page = browser.get(f"/tasks/{task}")
    filled = dict(values)
    if pin:
        filled["pin"] = stage.pin(username)
    done = browser.submit(page.form(f"/tasks/{task}/complete"), filled, files=files)
    if done.errors:
        raise PageRefused(
            f"expected {element} to be completed, got: {' '.join(done.errors)}", page=done.url
        )
    stage.console.print(f"  {username}: {element}", style="dim")
    return done


def wait_closed(stage: Stage, username: str, code: str) -> None:
    """Wait until the person's agency has closed the dossier."""
    browser = stage.person(username)

    def is_closed() -> dict[str, str] | None:
        page = browser.get(f"/dossiers?q={code}")
        return next(iter(page.marked(code=code, open="false")), None)

    wait(is_closed, what=f"{code} to be closed for {username}")


def wait(look: Callable[[], dict[str, str] | None], *, what: str) -> dict[str, str]:
    """Look again and again until there is something; raise `PageRefused` when patience ends."""
    limit = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < limit:
        found = look()
        if found is not None:
            return found
        time.sleep(_PAUSE_SECONDS)
    raise PageRefused(f"expected {what} within {_PATIENCE_SECONDS:.0f} s", page=what)


def export_evidence(home: Home, fixture: Fixture, stage: Stage, played: list[Played]) -> list[Path]:
    """Download the evidence of each dossier from each of its nodes, as an official would."""
    # CRLs hold whole seconds: those that the evidence needs are issued after the last seal.
    time.sleep(1.1)
    names = [node.name for node in fixture.nodes]
    renew_crls(home, nodes=names, at=SystemClock().now())
    exporters = {"h28": "hb.lanhdao", "h08": "bd.lanhdao"}
    files = []
    for one in played:
        for node in one.nodes:
            username = "tp.lanhdao" if one.name.startswith("p6") else exporters[node]
            browser = stage.person(username)
            page = browser.get(f"/dossiers?q={one.code}")
            dossier = page.marked(code=one.code)[0]["dossier"]
            bundle = browser.get(f"/dossiers/{dossier}/evidence")
            target = home.evidence / f"{one.code}-{node}.asice"
            target.write_bytes(bundle.body)
            files.append(target)
    stage.console.print(f"[green]✓[/] evidence of {len(files)} dossiers in {home.evidence.name}/")
    return files


def _code_of(page: Page) -> str:
    for mark in page.marks:
        if "code" in mark and "open" in mark:
            return mark["code"]
    raise PageRefused("expected the page of a dossier", page=page.url)
