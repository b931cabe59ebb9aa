"""Calendar data: what ships agrees with the facts, and a bad file is refused with its reason."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest

from dossier.calendar import DayKind, load_calendar, parse_calendar
from dossier.rule_errors import CalendarRefused, CalendarYearMissing

GOOD = """
version = "test.1"
first_year = 2026
last_year = 2026
[basis.notice]
confirmed = true
source = "test"
citation = { vi = "Thông báo 1", en = "Notice 1" }
[hours.standard]
name = { vi = "a", en = "a" }
monday = ["07:30-11:30", "13:30-17:30"]
tuesday = ["07:30-11:30", "13:30-17:30"]
[[row]]
day = 2026-03-02
kind = "half"
slots = ["07:30-11:30"]
basis = "notice"
name = { vi = "nửa ngày", en = "half day" }
"""

WEEKDAYS_OFF = {
    2024: "01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03",
    2025: "01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02",
    2026: "01-01 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24",
    2027: "01-01 02-04 02-05 02-08 02-09 02-10 04-16 04-30 05-03 09-02 09-03 11-24",
}


@pytest.mark.parametrize("year", WEEKDAYS_OFF)
def test_weekday_holidays_are_those_of_the_reference(year: int) -> None:
    calendar = load_calendar()
    days = (date(year, 1, 1) + timedelta(days=offset) for offset in range(365))
    off = [f"{day:%m-%d}" for day in days if day.weekday() < 5 and not calendar.is_working_day(day)]
    assert off == WEEKDAYS_OFF[year].split()


@pytest.mark.parametrize("year", range(2022, 2028))
def test_the_calendar_agrees_with_an_independent_library(year: int) -> None:
    oracle = holidays.country_holidays("VN", years=year)
    calendar = load_calendar()
    first = date(year, 1, 1)
    days = [first + timedelta(days=offset) for offset in range((date(year, 12, 31) - first).days)]
    different = [day for day in days if calendar.is_working_day(day) != oracle.is_working_day(day)]
    assert different == []


def test_make_up_days_are_those_of_the_reference() -> None:
    rows = load_calendar().rows.values()
    made_up = [str(row.day) for row in rows if row.kind is DayKind.MAKE_UP]
    assert made_up == ["2024-05-04", "2025-04-26", "2026-08-22"]


def test_the_swap_of_2026_is_a_layer_of_its_own_and_unconfirmed() -> None:
    plain, layered = load_calendar(), load_calendar(layers=("vn-2026-swap",))
    assert plain.is_working_day(date(2026, 1, 2)) and not plain.is_working_day(date(2026, 1, 10))
    assert not layered.is_working_day(date(2026, 1, 2)) and layered.is_working_day(
        date(2026, 1, 10)
    )
    row = layered.row(date(2026, 1, 2))
    assert row is not None and not row.basis.confirmed
    assert layered.version == "vn-2026.1+vn-2026-swap.1"


def test_every_row_is_cited() -> None:
    for row in load_calendar(layers=("vn-2026-swap",)).rows.values():
        assert row.basis.citation.vi and row.basis.citation.en and row.name.vi and row.name.en


def test_an_ordinary_day_has_eight_hours() -> None:
    for hours in ("standard", "early", "saturday_desk"):
        assert load_calendar(hours=hours).day_length == timedelta(minutes=480)


def test_a_half_day_has_its_own_hours() -> None:
    calendar = parse_calendar(GOOD.encode())
    assert len(calendar.slots(date(2026, 3, 2))) == 1
    assert calendar.is_working_day(date(2026, 3, 2))


@pytest.mark.parametrize("day", [date(2021, 12, 31), date(2028, 1, 1)])
def test_a_year_outside_is_misconfigured(day: date) -> None:
    with pytest.raises(CalendarYearMissing) as caught:
        load_calendar().is_working_day(day)
    assert caught.value.parameters["year"] == day.year


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("version", "verzion", "unknown key verzion"),
        ('version = "test.1"', "version = 1", "version must be a text"),
        ("first_year = 2026", "first_year = 2027", "years in order"),
        ("last_year = 2026", 'last_year = "2026"', "years in order"),
        ("2026-03-02", "2025-03-03", "outside the years"),
        ("2026-03-02", '"2026-03-02"', "has no day"),
        ('kind = "half"', 'kind = "off"', "exactly the keys"),
        ('kind = "half"', 'kind = "odd"', "no known kind"),
        ('basis = "notice"', 'basis = "rumour"', "cites no known basis"),
        ("confirmed = true\n", "", "must have citation"),
        ("Thông báo 1", "", "must be a text"),
        (', en = "half day"', "", "must have vi and en"),
        ('monday = ["07:30-11:30"', 'monday = ["07:30-13:45"', "in order and apart"),
        ('monday = ["07:30-11:30"', 'monday = ["11:30-07:30"', "in order and apart"),
        ('monday = ["07:30-11:30"', 'monday = ["7 to 11"', "must read 07:30-11:30"),
        ("monday", "someday", "unknown key someday"),
        ('monday = ["07:30-11:30", "13:30-17:30"]', "", "must work on Monday"),
        ('monday = ["07:30-11:30", "13:30-17:30"]', "monday = 1", "must be a list"),
        ("hours.standard", "hours.other", "no office hours"),
        ("[basis.notice]", "[basis.notice", "not TOML"),
    ],
)
def test_refuses_a_file_and_says_why(old: str, new: str, reason: str) -> None:
    assert old in GOOD
    with pytest.raises(CalendarRefused, match=reason):
        parse_calendar(GOOD.replace(old, new, 1).encode())


def test_refuses_a_day_listed_twice() -> None:
    row = GOOD[GOOD.index("[[row]]") :]
    with pytest.raises(CalendarRefused, match="listed twice"):
        parse_calendar((GOOD + row).encode())


@pytest.mark.parametrize("name", ["nowhere", "../texts/vi/dossier", ""])
def test_refuses_a_calendar_that_does_not_ship(name: str) -> None:
    with pytest.raises(CalendarRefused):
        load_calendar(name)
