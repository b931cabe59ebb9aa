"""Codes: what is generated is strict, what is received is read as it comes."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.codes import (
    DossierCodeShape,
    dossier_code,
    letter_number,
    parse_dossier_code,
    parse_letter_number,
    parse_letter_type,
    parse_procedure_code,
    parse_tracking_secret,
    tracking_secret,
)
from dossier.errors import IdentifierRefused

DAY = date(2026, 10, 8)


def test_a_provincial_code_has_a_four_digit_sequence() -> None:
    assert dossier_code("H15.50.05.13", day=DAY, sequence=975) == "H15.50.05.13-261008-0975"


def test_other_shapes_are_a_matter_of_the_rule_pack() -> None:
    shape = DossierCodeShape(long_date=True, digits=7)
    assert dossier_code("G09.20", day=DAY, sequence=1, shape=shape) == "G09.20-20261008-0000001"


@pytest.mark.parametrize("sequence", [0, -1, 10_000])
def test_refuses_a_sequence_that_does_not_fit(sequence: int) -> None:
    with pytest.raises(IdentifierRefused):
        dossier_code("H15", day=DAY, sequence=sequence)


@pytest.mark.parametrize(
    "code",
    [
        "H15.50.05.13-261008-0975",
        "000.00.14.H20-200703-0001",
        "000.00.BD.H08-230411-0001",
        "G09.20-20260609-0000001",
    ],
)
def test_reads_every_code_in_real_use(code: str) -> None:
    assert parse_dossier_code(code) == code


@pytest.mark.parametrize(
    "code",
    [
        "",
        "H15",
        "H15-261008",
        "h15-261008-0001",
        "H15-2610080-0001",
        "H15-261008-001",
        "H15-261008-0001\n",
        "H15-٢٦١٠٠٨-0001",
    ],
)
def test_refuses_what_is_no_dossier_code(code: str) -> None:
    with pytest.raises(IdentifierRefused):
        parse_dossier_code(code)


@pytest.mark.parametrize("code", ["1.005129", "2.000635", "1.009491.000.00.00.H38"])
def test_reads_procedure_codes(code: str) -> None:
    assert parse_procedure_code(code) == code


@pytest.mark.parametrize("code", ["1.00512", "1005129", "1.009491.H38", "x.005129"])
def test_refuses_what_is_no_procedure_code(code: str) -> None:
    with pytest.raises(IdentifierRefused):
        parse_procedure_code(code)


@pytest.mark.parametrize("number", ["123/QĐ-UBND", "45/UBND-NC", "12/PXL", "31/2021/QĐ-UBND"])
def test_a_letter_number_prints_back(number: str) -> None:
    assert str(parse_letter_number(number)) == number


def test_a_decomposed_letter_number_is_composed() -> None:
    decomposed = unicodedata.normalize("NFD", "123/QĐ-UBND-TỔNG")
    assert parse_letter_number(decomposed).symbol == "QĐ-UBND-TỔNG"


@pytest.mark.parametrize("number", ["", "45", "/UBND", "45/", "45/UBND_NC", "45/-NC", "1234567/A"])
def test_refuses_what_is_no_letter_number(number: str) -> None:
    with pytest.raises(IdentifierRefused):
        parse_letter_number(number)


def test_a_register_writes_its_pattern() -> None:
    assert str(letter_number("{number}/UBND-NC", sequence=45, year=2022)) == "45/UBND-NC"
    assert str(letter_number("{number}/{year}/QĐ-UBND", sequence=3, year=2022)) == (
        "3/2022/QĐ-UBND"
    )


@pytest.mark.parametrize("kind", ["HĐ", "HD", "ĐA", "DA", "QĐ", "QyĐ", "CTr", "CT", "TTr", "TrS"])
def test_letter_types_that_look_alike_stay_apart(kind: str) -> None:
    assert parse_letter_type(unicodedata.normalize("NFD", kind)) == kind


@pytest.mark.parametrize("kind", ["qđ", "QD", "", "XX"])
def test_refuses_an_unknown_letter_type(kind: str) -> None:
    with pytest.raises(IdentifierRefused):
        parse_letter_type(kind)


@given(st.binary(min_size=7, max_size=16))
def test_a_tracking_secret_is_read_as_people_type_it(random: bytes) -> None:
    secret = tracking_secret(random)
    typed = f" {secret[:4].lower()}-{secret[4:]}".replace("0", "o").replace("1", "l")
    assert parse_tracking_secret(typed) == secret


def test_a_tracking_secret_needs_enough_randomness() -> None:
    with pytest.raises(IdentifierRefused):
        tracking_secret(b"123456")


@pytest.mark.parametrize("text", ["", "ABC", "ABCDEFGU", "ABCD EFG!"])
def test_refuses_what_is_no_tracking_secret(text: str) -> None:
    with pytest.raises(IdentifierRefused):
        parse_tracking_secret(text)


@given(st.text(max_size=60))
def test_any_text_is_a_code_or_our_error(text: str) -> None:
    for parse in (parse_dossier_code, parse_procedure_code, parse_tracking_secret):
        try:
            parse(text)
        except IdentifierRefused:
            continue
    try:
        number = parse_letter_number(text)
    except IdentifierRefused:
        return
    assert parse_letter_number(str(number)) == number
