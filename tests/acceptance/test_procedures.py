"""P1 to P8, each played for real between two nodes: processes, databases, keys and clocks apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from dossier.calendar import HERE
from dossier.clock import VirtualClock
from tests.builders.replay import Replay
from tests.builders.twonodes import TwoNodes, two_nodes

START = datetime(2026, 3, 2, 8, 0, tzinfo=HERE)

PLAYED = (
    ("p1_birth_linked", "all_answer"),
    ("p1_birth_linked", "residence_refused_after_verification"),
    ("p2_death_linked", "benefit_paid"),
    ("p3_land_transfer", "sent_back_and_corrected"),
    ("p4_construction_permit", "granted_after_extension"),
    ("p5_investment_policy", "all_answer"),
    ("p6_household_business", "answered"),
    ("p7_field_report", "reopened"),
    ("p8_official_letter", "answered"),
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TwoNodes, VirtualClock]]:
    """Serve both nodes while these tests run."""
    with two_nodes(tmp_path_factory.mktemp("two"), at=START) as nodes:
        yield nodes, VirtualClock(at=START)


def test_of_eight_agencies_one_is_silent_one_late_one_conditional(
    both: tuple[TwoNodes, VirtualClock],
) -> None:
    replay = Replay(
        both[0], both[1], folder="p5_investment_policy", scenario="silent_late_conditional"
    )
    replay.play()
    appraiser = replay.sides()["appraiser"]
    assert appraiser["silent"] == ["000.00.17.H08", "000.00.52.G02"]
    history = appraiser["history"]
    assert isinstance(history, list)
    assert history.count("opinion_late") == 1


@pytest.mark.parametrize(("folder", "scenario"), PLAYED)
def test_the_scenario_goes_for_real_as_it_goes_in_memory(
    both: tuple[TwoNodes, VirtualClock], folder: str, scenario: str
) -> None:
    replay = Replay(both[0], both[1], folder=folder, scenario=scenario)
    replay.play()
    sides = replay.sides()
    assert [side["incidents"] for side in sides.values()] == [[]] * len(sides)
    assert {side["rule_pack"] for side in sides.values()} == {"2025.1"}
