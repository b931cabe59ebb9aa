"""Due dates: the golden vectors, the cut-off, pauses, extensions and the trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any

import pytest

from dossier.calendar import Calendar, load_calendar, local_day
from dossier.canonical import Json
from dossier.clock import add_working, settle, working_between
from dossier.deadline import (
    Citation,
    Due,
    Extension,
    Mode,
    Pause,
    due,
    parse_allowance,
    say_allowance,
)
from dossier.rule_errors import AllowanceRefused, CalendarYearMissing, DeadlineRefused
from dossier.texts import Language
from dossier.trail import Step, StepKind, dump_trail, explain, parse_trail
from tests.builders.clock import local, shown, standard, vectors


def _due(
    received: str,
    allowance: str,
    mode: Mode = Mode.DAY,
    *,
    calendar: Calendar | None = None,
    cutoff: time | None = None,
    pauses: Sequence[Pause] = (),
    extensions: Sequence[Extension] = (),
) -> Due:
    return due(
        local(received),
        allowance=parse_allowance(allowance),
        calendar=calendar or standard(),
        mode=mode,
        cutoff=cutoff,
        pauses=pauses,
        extensions=extensions,
    )


def _pause(start: str, end: str) -> Pause:
    return Pause(start=local(start), end=local(end), basis="supplement", citation="NĐ 61/2018")


def _name(vector: dict[str, Any]) -> str:
    return f"{vector.get('number', '')} {vector['shows']}".strip()


# --- Golden vectors ----------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors("golden"), ids=_name)
def test_golden_vector_by_minute(vector: dict[str, Any]) -> None:
    calendar = standard(*vector.get("layers", ()))
    pauses = [_pause(*vector["pause"])] if "pause" in vector else []
    found = _due(
        vector["received"], vector["allowance"], Mode.MINUTE, calendar=calendar, pauses=pauses
    )
    assert shown(found.at) == vector["minute"]


@pytest.mark.parametrize("vector", [v for v in vectors("golden") if "day" in v], ids=_name)
def test_golden_vector_by_day(vector: dict[str, Any]) -> None:
    calendar = standard(*vector.get("layers", ()))
    found = _due(vector["received"], vector["allowance"], calendar=calendar)
    assert found.day == vector["day"]
    assert shown(found.at).endswith("17:30")


def test_the_pause_of_vector_10_moves_4020_minutes() -> None:
    vector = next(v for v in vectors("golden") if v["number"] == 10)
    start, end = map(local, vector["pause"])
    moved = working_between(start, end=end, calendar=standard())
    assert moved == timedelta(minutes=4020)
    assert shown(_due(vector["received"], "10wd", Mode.MINUTE).at) == vector["minute_before"]


@pytest.mark.parametrize("vector", vectors("cutoff"), ids=_name)
def test_cutoff_vector(vector: dict[str, Any]) -> None:
    assert _due(vector["received"], "0wd", cutoff=time(15)).day == vector["day"]


def test_exactly_three_in_the_afternoon_is_still_the_same_day() -> None:
    assert str(_due("2026-03-02 15:00", "0wd", cutoff=time(15)).day) == "2026-03-02"
    assert str(_due("2026-03-02 15:00:01", "0wd", cutoff=time(15)).day) == "2026-03-03"


# --- Allowances --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["3wd", "0wd", "8wh", "15d", "2mo", "PT20S"])
def test_allowance_prints_back(text: str) -> None:
    assert str(parse_allowance(text)) == text


def test_a_clock_duration_is_counted_in_seconds() -> None:
    assert str(parse_allowance("PT1H30M")) == "PT5400S"


@pytest.mark.parametrize(
    "text", ["", "3", "wd", "-1wd", "03wd", "0d", "0wh", "PT", "PT0S", "P1D", "3 wd", "3WD", "٣wd"]
)
def test_refuses_what_is_no_allowance(text: str) -> None:
    with pytest.raises(AllowanceRefused):
        parse_allowance(text)


def test_allowances_are_said_in_words() -> None:
    three = parse_allowance("3wd")
    assert say_allowance(three, lang=Language.VI) == "3 ngày làm việc"
    assert say_allowance(three, lang=Language.EN) == "3 working days"
    assert say_allowance(parse_allowance("1d"), lang=Language.EN) == "1 day"
    assert say_allowance(parse_allowance("0wd"), lang=Language.VI) == "trong ngày làm việc"


def test_working_hours_count_office_time() -> None:
    assert shown(_due("2026-03-06 16:30", "2wh").at) == "2026-03-09 08:30"


def test_calendar_days_end_on_the_next_working_day() -> None:
    found = _due("2026-03-06 10:00", "15d")  # 21 March is a Saturday
    assert shown(found.at) == "2026-03-23 17:30"
    assert StepKind.ROLLED in {step.kind for step in found.trail}


def test_a_month_ends_on_its_last_day_when_the_day_is_missing() -> None:
    assert str(_due("2026-03-31 10:00", "1mo").day) == "2026-05-04"  # 30/4, 1/5 and a weekend
    assert str(_due("2026-12-10 10:00", "2mo").day) == "2027-02-11"  # 10/2 is Tet


def test_seconds_pass_by_the_clock() -> None:
    found = _due("2026-03-07 03:00", "PT20S")
    assert found.at == local("2026-03-07 03:00:20")


def test_a_due_date_outside_the_calendar_is_never_guessed() -> None:
    with pytest.raises(CalendarYearMissing) as caught:
        _due("2027-12-31 10:00", "1wd")
    assert caught.value.parameters["year"] == 2028


def test_today_is_covered() -> None:
    assert str(_due("2026-11-23 11:20", "3wd").day) == "2026-11-27"


def test_hours_of_an_agency_decide() -> None:
    early = load_calendar(hours="early")
    assert shown(_due("2026-03-02 07:15", "1wd", Mode.MINUTE, calendar=early).at) == (
        "2026-03-03 07:15"
    )
    saturday = load_calendar(hours="saturday_desk")
    assert str(_due("2026-03-06 09:00", "1wd", calendar=saturday).day) == "2026-03-07"
    assert shown(_due("2026-03-06 09:00", "1wd", calendar=saturday).at).endswith("11:30")


# --- Pauses and extensions ---------------------------------------------------------------------


def test_both_pause_formulas_agree_by_day() -> None:
    pause = _pause("2026-03-05 15:00", "2026-03-18 08:00")
    moved = _due("2026-03-02 09:00", "10wd", pauses=[pause])
    left = _due("2026-03-18 08:00", "7wd")  # 3, 4 and 5 March were used
    assert moved.day == left.day


def test_pauses_that_overlap_count_once() -> None:
    one = _pause("2026-03-03 08:00", "2026-03-05 08:00")
    inside = _pause("2026-03-04 08:00", "2026-03-05 08:00")
    single = _due("2026-03-02 09:00", "10wd", Mode.MINUTE, pauses=[one])
    both = _due("2026-03-02 09:00", "10wd", Mode.MINUTE, pauses=[inside, one])
    assert single.at == both.at


def test_a_pause_outside_office_hours_moves_nothing() -> None:
    night = _pause("2026-03-03 18:00", "2026-03-04 07:00")
    assert _due("2026-03-02 09:00", "3wd", Mode.MINUTE, pauses=[night]).at == (
        _due("2026-03-02 09:00", "3wd", Mode.MINUTE).at
    )


def test_a_pause_after_the_due_date_moves_nothing() -> None:
    late = _pause("2026-03-10 08:00", "2026-03-20 08:00")
    found = _due("2026-03-02 09:00", "3wd", pauses=[late])
    assert str(found.day) == "2026-03-05"
    assert StepKind.PAUSED_LATE in {step.kind for step in found.trail}


def test_a_pause_of_calendar_days_moves_calendar_days() -> None:
    pause = _pause("2026-03-03 08:00", "2026-03-05 08:00")
    assert str(_due("2026-03-02 09:00", "7d", pauses=[pause]).day) == "2026-03-11"


def test_refuses_a_pause_that_ends_before_it_begins() -> None:
    with pytest.raises(DeadlineRefused):
        _due("2026-03-02 09:00", "3wd", pauses=[_pause("2026-03-04 08:00", "2026-03-03 08:00")])


def _extension(text: str) -> Extension:
    return Extension(
        allowance=parse_allowance(text), reason="xác minh", approver="Lê Văn A", citation="Điều 5"
    )


def test_an_extension_moves_the_date_and_keeps_the_old_one() -> None:
    found = _due("2026-03-02 09:00", "3wd", extensions=[_extension("2wd")])
    assert str(found.day) == "2026-03-09"
    step = next(step for step in found.trail if step.kind is StepKind.EXTENDED)
    assert str(step.facts["old"]).startswith("2026-03-05")


def test_refuses_an_extension_in_another_unit() -> None:
    with pytest.raises(DeadlineRefused):
        _due("2026-03-02 09:00", "3wd", extensions=[_extension("2d")])


# --- The trail ---------------------------------------------------------------------------------


def test_the_trail_says_why_in_vietnamese() -> None:
    found = _due("2026-02-13 16:00", "1wd", cutoff=time(15))
    assert explain(found.trail, lang=Language.VI) == [
        "Nhận lúc 16:00 13/02/2026.",
        "Nhận sau 15:00 nên tính là nhận ngày 23/02/2026.",
        "Thời hạn: 1 ngày làm việc, tính từ 23/02/2026 đến 24/02/2026.",
        "Hạn: 17:30 24/02/2026. Lịch vn-2026.1.",
    ]


def test_the_trail_names_each_skipped_day_and_its_notice() -> None:
    said = explain(_due("2026-04-24 10:00", "5wd").trail, lang=Language.EN)
    assert "25 April 2026 is a weekly rest day and is not counted." in said
    assert (
        "30 April 2026 is a day off: Reunification Day "
        "(Labour Code 45/2019/QH14, Article 112)." in said
    )


def test_the_trail_marks_what_nobody_has_confirmed() -> None:
    found = _due("2025-12-31 09:00", "1wd", calendar=standard("vn-2026-swap"))
    said = explain(found.trail, lang=Language.EN)
    assert [line for line in said if line.endswith("[unconfirmed]")] == [
        "2 January 2026 is a day off: Swapped day off, worked on 10/01/2026 "
        "(Notice on the swapped working day of New Year 2026 (number not yet compared)). "
        "[unconfirmed]"
    ]


def test_the_trail_keeps_the_date_before_a_pause() -> None:
    pause = _pause("2026-03-05 15:00", "2026-03-18 08:00")
    said = explain(
        _due("2026-03-02 09:00", "10wd", Mode.MINUTE, pauses=[pause]).trail, lang=Language.VI
    )
    assert "Clock" not in said[2] and "Hạn cũ: 09:00 16/03/2026." in said[2]


def test_the_trail_cites_the_allowance_and_says_when_it_is_unconfirmed() -> None:
    calendar, allowance = standard(), parse_allowance("3wd")
    citation = Citation(text="NĐ 01/2021/NĐ-CP, Điều 87", confirmed=False)
    found = due(
        local("2026-03-02 09:00"), allowance=allowance, calendar=calendar, citation=citation
    )
    said = explain(found.trail, lang=Language.EN)
    assert "Basis: NĐ 01/2021/NĐ-CP, Điều 87. [unconfirmed]" in said


def test_the_trail_survives_storage() -> None:
    found = _due("2026-02-13 16:00", "3wd", cutoff=time(15), extensions=[_extension("2wd")])
    assert parse_trail(dump_trail(found.trail)) == found.trail


@pytest.mark.parametrize("value", [None, "x", [1], [{"kind": "x"}], {"kind": "result"}])
def test_refuses_what_is_no_trail(value: Json) -> None:
    with pytest.raises(DeadlineRefused):
        parse_trail(value)


def test_every_kind_of_step_can_be_said() -> None:
    facts = {
        "at": "2026-03-02T02:00:00+00:00",
        "until": "2026-03-02T02:00:00+00:00",
        "old": "2026-03-02T02:00:00+00:00",
        "day": "2026-03-02",
        "from_day": "2026-03-02",
        "to_day": "2026-03-02",
        "limit": "15:00",
        "name_vi": "a",
        "name_en": "a",
        "citation_vi": "a",
        "citation_en": "a",
        "citation": "a",
        "allowance_vi": "a",
        "allowance_en": "a",
        "reason": "a",
        "approver": "a",
        "basis": "a",
        "calendar": "a",
    }
    for lang in Language:
        said = explain([Step(kind=kind, facts=facts) for kind in StepKind], lang=lang)
        assert len(said) == len(StepKind)


def test_the_due_day_is_the_legal_day_not_the_utc_day() -> None:
    found = _due("2026-03-06 23:30", "0wd")
    assert found.day == local_day(found.at)
    assert settle(found.at, calendar=standard()) == found.at
    assert add_working(found.at, amount=timedelta(), calendar=standard()) == found.at
