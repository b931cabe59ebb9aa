"""The ten statuses: numbers, names, clock effects, and the local ones that map onto them."""

from __future__ import annotations

from importlib import resources

import pytest

from dossier.model import Business
from dossier.rule_errors import StatusRefused
from dossier.status import (
    Awaited,
    ClockEffect,
    load_status_rules,
    parse_status_rules,
    status_name,
)
from dossier.texts import Language

RULES = load_status_rules()
NAMES = [
    "Mới đăng ký",
    "Được tiếp nhận",
    "Không được tiếp nhận",
    "Đang xử lý",
    "Yêu cầu bổ sung giấy tờ",
    "Yêu cầu thực hiện nghĩa vụ tài chính",
    "Công dân yêu cầu rút hồ sơ",
    "Dừng xử lý",
    "Đã xử lý xong",
    "Đã trả kết quả",
]


def test_the_ten_statuses_have_their_national_numbers_and_names() -> None:
    assert [status_name(Business(number), lang=Language.VI) for number in range(1, 11)] == NAMES


def test_receipt_starts_the_clock_and_the_signed_result_ends_it() -> None:
    assert RULES.effects[Business.ACCEPTED] is ClockEffect.STARTS
    assert RULES.effects[Business.PROCESSED] is ClockEffect.ENDED


@pytest.mark.parametrize(
    ("status", "runs"),
    [
        (Business.SUBMITTED, False),
        (Business.ACCEPTED, True),
        (Business.REFUSED_AT_INTAKE, False),
        (Business.IN_PROCESS, True),
        (Business.SUPPLEMENT_REQUESTED, True),
        (Business.FINANCIAL_OBLIGATION, False),
        (Business.WITHDRAWAL_REQUESTED, True),
        (Business.STOPPED, False),
        (Business.PROCESSED, False),
        (Business.DELIVERED, False),
    ],
)
def test_the_clock_runs_where_the_law_says(status: Business, runs: bool) -> None:
    assert RULES.clock_runs(status, basis_allows=False) is runs


def test_a_supplement_pauses_only_with_a_basis() -> None:
    assert not RULES.clock_runs(Business.SUPPLEMENT_REQUESTED, basis_allows=True)


def test_a_substatus_is_matched_before_the_status() -> None:
    assert RULES.national("9", substatus="chờ ký duyệt") is Business.IN_PROCESS
    assert RULES.national("9", substatus="chưa ai biết") is Business.PROCESSED
    assert RULES.national("đang xử lý") is Business.IN_PROCESS


@pytest.mark.parametrize("status", ["", "0", "11", "1111111111", "đang chờ", "٤"])
def test_refuses_an_unknown_status(status: str) -> None:
    with pytest.raises(StatusRefused):
        RULES.national(status)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b'version = "1"\ncitation = "c"\n[clock]\nsubmitted = "not_started"',
        b'version = "1"\ncitation = "c"\n[clock]\nsubmitted = "sometimes"',
        b'version = "1"\ncitation = "c"\n[clock]\nlost = "runs"',
        b'version = "1"\ncitation = "c"\nclock = 1',
    ],
)
def test_refuses_an_incomplete_table(content: bytes) -> None:
    with pytest.raises(StatusRefused):
        parse_status_rules(content)


def test_a_substatus_is_shown_beside_the_status_that_it_maps_onto() -> None:
    shown = RULES.substatus(Business.IN_PROCESS, Awaited.SIGNATURE)
    assert shown is not None
    assert (shown.vi, shown.en) == ("Chờ ký duyệt", "Awaiting signature")
    assert RULES.substatus(Business.PROCESSED, Awaited.SIGNATURE) is None
    assert RULES.substatus(Business.IN_PROCESS, None) is None


def test_what_is_shown_must_be_a_substatus_of_the_table() -> None:
    table = resources.files("dossier").joinpath("rules", "statuses.toml").read_text()
    with pytest.raises(StatusRefused, match="sub-status"):
        parse_status_rules(table.replace('vi = "Chờ ký duyệt"', 'vi = "Chờ ai đó"').encode())
