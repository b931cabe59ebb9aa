"""The plan of scale: its simulation adds up, and the page shows what it prints."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks import scale
from benchmarks.scale import NO_FAILURE, SMALL, Failure, Volume
from scripts import tree

PAGE = tree.ROOT / "docs" / "explanation" / "scale.md"
VOLUME = Volume()


@pytest.mark.parametrize("provinces", [63, 34])
def test_provinces_share_the_whole_nation(provinces: int) -> None:
    parts = scale.shares(provinces)
    assert len(parts) == provinces
    assert sum(parts) == pytest.approx(1)
    assert parts == sorted(parts, reverse=True)


def test_a_day_brings_what_the_year_says() -> None:
    came = sum(scale.arrivals(replace(VOLUME, busiest_day=1.0), 1.0))
    assert came * scale.OFFICE_DAYS == pytest.approx(VOLUME.dossiers_a_year)


def test_a_failure_is_caught_up_and_nothing_is_left() -> None:
    part = scale.shares(63)[30]
    calm = scale.simulate(VOLUME, part, SMALL, NO_FAILURE)
    broken = scale.simulate(VOLUME, part, SMALL, Failure(name="all", share=1.0, seconds=1800))
    assert (calm.longest_wait_seconds, calm.left) == (0, 0)
    assert broken.longest_wait_seconds == pytest.approx(1800, rel=0.02)
    assert 0 < broken.caught_up_seconds < 3600
    assert broken.left == 0
    assert broken.came == calm.came


def test_too_little_machine_leaves_work_and_names_its_limit() -> None:
    day = scale.simulate(replace(VOLUME, dossiers_a_year=10**10), 0.05, SMALL, NO_FAILURE)
    assert day.load > 1
    assert day.left > 0
    sealing = replace(VOLUME, messages=400)
    assert scale.simulate(sealing, 0.01, SMALL, NO_FAILURE).first_limit == "sealing and verifying"


def test_the_page_shows_what_the_simulation_prints(capsys: pytest.CaptureFixture[str]) -> None:
    scale.main()
    printed = capsys.readouterr().out.strip()
    shown = re.search(
        r"<!-- benchmarks.scale -->\n(.*)<!-- /benchmarks.scale -->",
        PAGE.read_text("utf-8"),
        re.DOTALL,
    )
    assert shown is not None
    assert shown[1].strip() == printed
