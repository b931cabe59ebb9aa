"""The axes of a dossier and the ten national statuses: every combination has its answer."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from dossier.model import Business, Delivery, Money
from exchange.national.configuration import read_destinations
from exchange.national.dossiers import national_status
from exchange.national.errors import PortalConfigurationRefused

_COMBINATIONS = list(product(Business, Money, Delivery))


def _expected(business: Business, money: Money, delivery: Delivery) -> int:
    match business.value, money.value, delivery.value:
        case 9, _, "handed_over":
            return 10
        case 4, "due", _:
            return 6
        case number, _, _:
            return number


def test_every_combination_of_the_axes_has_its_national_status() -> None:
    assert len(_COMBINATIONS) == 10 * 5 * 6
    told = {
        one: national_status(one[0], money=one[1], delivery=one[2]).value for one in _COMBINATIONS
    }
    assert told == {one: _expected(*one) for one in _COMBINATIONS}
    assert set(told.values()) == set(range(1, 11))


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        ('statuses = { "11" = "11" }', "codes.statuses.11"),
        ('statuses = { "9" = "DONE" }', "codes.statuses.9"),
        ('owner_kinds = { person = "P" }', "codes.owner_kinds.person"),
        ('colours = { red = "1" }', "codes: colours"),
    ],
)
def test_a_code_that_the_portal_cannot_be_told_is_refused_by_name(
    tmp_path: Path, codes: str, named: str
) -> None:
    path = tmp_path / "national-portal.toml"
    (tmp_path / "secret").write_text("s", "utf-8")
    path.write_text(
        '[[destination]]\nname = "n"\nflow = "newer"\naddress = "http://127.0.0.1/"\n'
        'agency = "H08"\nclient_id = "c"\nsecret_file = "secret"\n'
        f"[destination.codes]\n{codes}\n"
        '[destination.procedures.p]\ncode = "1"\nname = "P"\n',
        "utf-8",
    )
    with pytest.raises(PortalConfigurationRefused) as refused:
        read_destinations(path)
    assert refused.value.parameters["name"] == named
