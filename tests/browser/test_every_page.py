"""Every page in both languages: no accessibility violations, no sideways scrolling, a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import AXE, SCREENSHOTS, Site, file

CLERK = "tp.motcua"
ADMIN = "bd.quantri1"
PDF = b"%PDF-1.4\n%%EOF\n"
WIDTHS = (360, 768, 1280)


def desk(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/desk")


def new_dossier(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/dossiers/new")


def found(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/dossiers?q={site.closed}")


def not_found(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/dossiers?q=000")


def open_dossier(site: Site, page: Page) -> None:
    site.open_dossier(page, site.waiting)


def closed_dossier(site: Site, page: Page) -> None:
    site.open_dossier(page, site.closed)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


def task(site: Site, page: Page) -> None:
    site.open_task(page, site.fresh, "receive_application")


def refused_task(site: Site, page: Page) -> None:
    task(site, page)
    page.set_input_files("input[type=file]", file("giấy đề nghị.pdf", PDF))
    page.fill("#field-owner_id", "không phải số")
    page.click("form[action$='/complete'] button")


def verify(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/verify")


def verified(site: Site, page: Page) -> None:
    site.open_dossier(page, site.closed)
    with page.expect_download() as download:
        page.click("#evidence a[download]")
    bundle = download.value.path().read_bytes()
    verify(site, page)
    page.set_input_files("#file", file(f"{site.closed}.asice", bundle))
    page.click("form[action='/verify'] button")


def refuted(site: Site, page: Page) -> None:
    verify(site, page)
    page.set_input_files("#file", file("x.asice", b"x"))
    page.click("form[action='/verify'] button")


def incidents(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/incidents")


def partners(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/partners")


def procedures(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/procedures")


def absences(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/absences")


def unknown(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/khong-co-trang-nay")


def login(site: Site, page: Page) -> None:
    page.context.clear_cookies(name="lienthong-" + site.origin.rpartition(":")[2])
    page.goto(f"{site.origin}/login")


def refused_login(site: Site, page: Page) -> None:
    login(site, page)
    page.fill("#username", "ai.do")
    page.fill("#password", "sai mật khẩu")
    page.click("form[action='/login'] button")


def repair(site: Site, page: Page) -> None:
    page.goto(f"{site.origin}/repairs?code={site.waiting}")


def repair_effects(site: Site, page: Page) -> None:
    repair(site, page)
    page.fill("textarea >> nth=0", "nhập sai biểu mẫu")
    page.click("form[action$='/repair'] button >> nth=0")


OPERATORS: tuple[Callable[[Site, Page], None], ...] = (repair, repair_effects)
PAGES: tuple[Callable[[Site, Page], None], ...] = (
    *(desk, new_dossier, found, not_found, open_dossier, closed_dossier, task, refused_task),
    *(verify, verified, refuted, incidents, partners, procedures, absences, unknown),
    *(login, refused_login),
)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_is_accessible_and_fits_every_width(
    site: Site, page: Page, language: str
) -> None:
    assert _complaints(site, page, CLERK, PAGES, language) == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_of_operators_are_accessible_and_fit_every_width(
    site: Site, page: Page, language: str
) -> None:
    assert _complaints(site, page, ADMIN, OPERATORS, language) == []


def _complaints(
    site: Site,
    page: Page,
    username: str,
    pages: tuple[Callable[[Site, Page], None], ...],
    language: str,
) -> list[str]:
    site.log_in(page, username)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": site.origin}])
    complaints: list[str] = []
    for opened in pages:
        opened(site, page)
        assert page.locator("html").get_attribute("lang") == language
        complaints += [f"{opened.__name__}: {one}" for one in violations(page)]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                complaints.append(f"{opened.__name__}: scrolls sideways at {width}")
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(
                path=SCREENSHOTS / f"{opened.__name__}-{language}-{width}.png", full_page=True
            )
    return complaints


def test_every_page_is_whole_without_javascript(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for username, pages in ((CLERK, PAGES), (ADMIN, OPERATORS)):
        site.log_in(page, username)
        for opened in pages:
            opened(site, page)
            assert page.locator("h1").inner_text(), opened.__name__
            assert page.locator("footer").is_visible(), opened.__name__
    context.close()


def test_dark_colours_have_contrast_too(site: Site, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    site.log_in(page, CLERK)
    complaints = []
    for opened in (desk, closed_dossier, refused_task, verified, refuted):
        opened(site, page)
        complaints += [f"{opened.__name__}: {one}" for one in violations(page)]
        page.screenshot(path=SCREENSHOTS / f"{opened.__name__}-dark.png", full_page=True)
    assert complaints == []


def test_checker_finds_a_fault_that_was_planted(site: Site, page: Page) -> None:
    login(site, page)
    page.evaluate("document.querySelector('label[for=password]').remove()")
    assert [one for one in violations(page) if one.startswith("label at")]


def test_dossier_prints_without_what_only_a_screen_needs(site: Site, page: Page) -> None:
    site.log_in(page, CLERK)
    closed_dossier(site, page)
    page.emulate_media(media="print")
    page.screenshot(path=SCREENSHOTS / "closed_dossier-print.png", full_page=True)
    assert not page.locator("nav.main").is_visible()
    assert page.locator("#timeline").is_visible()


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page, all of its rules."""
    page.evaluate(AXE.read_text())
    result: Mapping[str, Any] = page.evaluate("axe.run()")
    return [
        f"{rule['id']} at {', '.join(str(node['target']) for node in rule['nodes'][:3])}"
        for rule in result["violations"]
    ]
