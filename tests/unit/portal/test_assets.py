"""Files beside the pages: a closed table, vendored bytes as their provenance says."""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from pathlib import Path

from portal.assets import asset

PORTAL = Path(str(resources.files("portal")))


def test_every_file_that_a_template_names_is_served() -> None:
    named = set()
    for path in PORTAL.glob("templates/**/*.html"):
        named |= set(re.findall(r"static_url '([^']+)'", path.read_text()))
    assert named
    for name in named:
        assert asset(name).content


def test_htmx_is_the_file_that_its_provenance_names() -> None:
    said = re.search(r"SHA-256 `([0-9a-f]{64})`", (PORTAL / "static/README.md").read_text())
    assert said
    assert hashlib.sha256(asset("htmx.min.js").content).hexdigest() == said[1]


def test_every_icon_that_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', asset("icons.svg").content.decode()))
    for path in PORTAL.glob("templates/**/*.html"):
        assert set(re.findall(r'{% icon "([^"]+)"', path.read_text())) <= drawn


def test_style_sheet_fetches_nothing() -> None:
    style = asset("portal.css").content.decode()
    assert "url(" not in style
    assert "@import" not in style
