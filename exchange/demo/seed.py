"""Fill one node of the demo: its agencies, directory, procedures and people.

Safe to run again: what stands already stays as it is.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Final

from dossier.clock import SystemClock
from exchange import accounts
from exchange.demo.fixture import Fixture, load_fixture
from exchange.demo.layout import Home, anchor_sha256
from exchange.directory import import_directory
from exchange.publish import publish, read_folder
from exchange.settings import Settings, settings
from exchange.trust import read_trust
from storage import agencies, people
from storage import directory as editions
from storage.transactions import transaction

_UNITS: Final = {
    "office": {"vi": "Văn phòng", "en": "Office"},
    "service-centre": {
        "vi": "Trung tâm Phục vụ hành chính công",
        "en": "Public Administration Service Centre",
    },
    "information": {
        "vi": "Sở Thông tin và Truyền thông",
        "en": "Department of Information and Communications",
    },
    "home-affairs": {"vi": "Sở Nội vụ", "en": "Department of Home Affairs"},
}


def seed() -> None:
    """Fill the node of this process's settings with the demo's fixture."""
    seed_node(settings(), fixture=load_fixture())


def seed_node(here: Settings, *, fixture: Fixture) -> None:
    """Fill one node, whose home `exchange.demo.layout` has laid out."""
    home = Home(root=here.home.parent.parent)
    _host(here, fixture)
    if not editions.current_number():  # a later edition that a visitor has sealed stays
        import_directory(
            (here.home / "directory.xml").read_bytes(),
            anchor_sha256=anchor_sha256(home),
            trust=read_trust(here.trust_dir),
            floor=here.trust_dir / "directory.number",
            at=SystemClock().now(),
            by="demo",
        )
    proposer, confirmer = fixture.administrators(here.node)[:2]
    for folder in procedure_folders(here):
        publish(
            read_folder(folder),
            at=SystemClock().now(),
            proposed_by=proposer,
            confirmed_by=confirmer,
        )
    _open_accounts(here, fixture, home)


def procedure_folders(here: Settings) -> list[Path]:
    """Return the procedure folders of the settings, or those of the package."""
    root = here.procedures_dir or Path(str(resources.files("procedures")))
    return sorted(path.parent for path in root.glob("*/procedure.toml"))


def _host(here: Settings, fixture: Fixture) -> None:
    with transaction():
        for agency in fixture.hosted(here.node):
            agencies.host(
                agencies.HostedAgency(
                    code=agency.code,
                    name_vi=agency.name["vi"],
                    name_en=agency.name["en"],
                    units=_UNITS if agency.kind == "province" else {},
                )
            )


def _open_accounts(here: Settings, fixture: Fixture, home: Home) -> None:
    logins = json.loads(home.logins.read_text())[here.node]
    for person in fixture.people:
        if person.node != here.node or people.find_user(person.username):
            continue
        accounts.add(
            person.username,
            display_name=person.name,
            password=logins[person.username]["password"],
        )
        for binding in person.bindings:
            accounts.grant(person.username, binding)
