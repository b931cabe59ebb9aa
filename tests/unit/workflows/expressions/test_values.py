"""The codec of variables: a closed set of types, each with one stored form."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier import canonical
from dossier.errors import CanonicalRefused
from workflows.expressions import Value, YearsMonths, decode_value, encode_value
from workflows.expressions.errors import ValueRefused

_ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).filter(
        lambda number: len(number.as_tuple().digits) <= 34
    ),
    st.text(max_size=20),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(),
    st.integers(min_value=-(10**6), max_value=10**6).map(YearsMonths),
)
_VALUES = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_variable_codec_roundtrip(value: Value) -> None:
    stored = encode_value(value)
    assert decode_value(stored) == value
    assert encode_value(decode_value(stored)) == stored


@given(_VALUES)
def test_stored_forms_are_canonical_json(value: Value) -> None:
    try:
        content = canonical.dump(encode_value(value))
    except CanonicalRefused:
        return  # lone surrogates and keys that fall together in NFC
    assert canonical.dump(canonical.parse(content)) == content


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (Decimal("1.50"), {"$number": "1.50"}),
        (date(2026, 11, 23), {"$date": "2026-11-23"}),
        (time(10, 0, 0, 5000), {"$time": "10:00:00.005"}),
        (datetime(2026, 11, 23, tzinfo=UTC), {"$datetime": "2026-11-23T00:00:00Z"}),
        (
            datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")),
            {"$datetime": "2026-11-23T00:00:00@Asia/Ho_Chi_Minh"},
        ),
        (timedelta(days=-1), {"$duration": "-P1D"}),
        (YearsMonths(14), {"$months": "P1Y2M"}),
        ({"$number": "1"}, {"$object": {"$number": "1"}}),
        ([None, True, "x"], [None, True, "x"]),
    ],
)
def test_each_type_has_one_stored_form(value: Value, stored: canonical.Json) -> None:
    assert encode_value(value) == stored
    assert decode_value(stored) == value


@pytest.mark.parametrize(
    "stored",
    [
        1,
        1.5,
        {"$number": "NaN"},
        {"$number": "x"},
        {"$number": 1},
        {"$date": "2026-02-30"},
        {"$duration": "PT24H"},
        {"$months": "P12M"},
        {"$duration": "P1Y"},
        {"$unknown": "x"},
        {"$object": "x"},
    ],
)
def test_refuses_every_other_stored_form(stored: canonical.Json) -> None:
    with pytest.raises(ValueRefused):
        decode_value(stored)
