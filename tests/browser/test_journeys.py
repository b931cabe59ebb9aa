"""Journeys through the pages: by keyboard alone, without JavaScript, and with it."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import APPLICATION, COMMUNE, SCREENSHOTS, Site, file

PDF = b"%PDF-1.4\n%%EOF\n"
CLERK = "tp.motcua"


def test_intake_without_javascript(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    site.log_in(page, CLERK)
    page.click("a[href='/dossiers/new']")
    page.select_option("#procedure", f"household-business@{COMMUNE}")
    page.fill("#subject", "Đăng ký hộ kinh doanh: Hiệu sách Nguyễn Thái Học")
    page.click("form[action='/dossiers/new'] button")
    expect(page.locator("[role=status]").first).to_be_visible()
    page.wait_for_timeout(500)
    link = page.locator("#next a[data-element=receive_application]")
    for _ in range(50):
        if link.count():
            break
        page.wait_for_timeout(200)
        page.reload()
    link.click()
    for name, value in APPLICATION.items():
        if name != "components_complete":
            page.fill(f"#field-{name}", value)
    page.set_input_files("#field-application_file", file("giấy đề nghị.pdf", PDF))
    page.check("#field-components_complete")
    page.click("form[action$='/complete'] button")
    assert re.search(r"/dossiers/[0-9a-f-]{36}$", page.url)
    expect(page.locator("[data-document]")).to_have_text(re.compile("giấy đề nghị"))
    context.close()


def test_task_by_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/login")
    go_to(page, "#username")
    page.keyboard.type("tp.kinhte")
    page.keyboard.press("Tab")
    page.keyboard.type(site.logins["tp.kinhte"]["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk")
    go_to(page, f"[data-code='{site.received}'] a.title")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    page.screenshot(path=SCREENSHOTS / "focus.png")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/*")
    go_to(page, "#field-check_decision")
    page.keyboard.press("ArrowDown")
    go_to(page, "form[action$='/complete'] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dossiers/*")
    expect(page.locator(".note.done[role=status]")).to_be_visible()


def test_skip_link_is_first_and_leads_to_the_content(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/login")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_dossier_moves_on_by_itself(site: Site, page: Page) -> None:
    site.log_in(page, CLERK)
    page.goto(f"{site.origin}/dossiers/new")
    page.select_option("#procedure", f"household-business@{COMMUNE}")
    page.fill("#subject", "Đăng ký hộ kinh doanh: Quán phở")
    page.click("form[action='/dossiers/new'] button")
    expect(page.locator("#next a[data-task]")).to_be_visible(timeout=15_000)


def test_diagram_can_be_read_at_its_own_size(site: Site, page: Page) -> None:
    site.log_in(page, CLERK)
    site.open_dossier(page, site.closed)
    drawing = page.locator(".diagram svg")
    whole = drawing.bounding_box()
    page.check("#zoom-read", force=True)
    readable = drawing.bounding_box()
    assert whole and readable
    assert readable["width"] > whole["width"] * 1.5
    assert page.locator(".diagram .done").count() > 3


def test_uploaded_page_does_not_open_on_our_origin(site: Site, page: Page) -> None:
    hostile = b"<script>document.title='run'</script>"
    site.log_in(page, CLERK)
    site.open_dossier(page, site.fresh)
    page.click("details.add summary")
    page.set_input_files("#file", file("trang.html", hostile))
    page.click("form[action$='/documents'] button")
    with page.expect_download() as download:
        page.click("[data-document]:has-text('trang.html')")
    assert download.value.path().read_bytes() == hostile
    assert page.title() != "run"


def go_to(page: Page, selector: str) -> None:
    """Press Tab until an element that fits the selector has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("given => document.activeElement.matches(given)", selector):
            return
    raise AssertionError(f"expected Tab to reach {selector}")
