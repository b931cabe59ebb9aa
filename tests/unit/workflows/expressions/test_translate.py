"""Foreign spellings of expressions: what has a counterpart is rewritten, the rest refused."""

from __future__ import annotations

import pytest

from dossier.errors import Rejected
from workflows.expressions import translate
from workflows.expressions.errors import ExpressionRefused, PrefixRefused


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        ("${approved}", "approved"),
        ("${!approved}", "not(approved)"),
        ("${amount > 5}", "amount > 5"),
        ("#{a.b.c}", "a.b.c"),
        ("=amount > 5", "amount > 5"),
        ("${a == 'x y'}", 'a = "x y"'),
        ("${a eq 'it\\'s \"x\"'}", 'a = "it\'s \\"x\\""'),
        ("${!(a || b) && c}", "not(a  or  b)  and  c"),
        ("${!a.b && x ne null}", "not(a.b)  and  x != null"),
        ("${a&&b}", "a and b"),
        ("${count lt 3 and total ge 4}", "count < 3 and total >= 4"),
        ("${not confirmed}", "not(confirmed)"),
        ("${a['b'].c}", "a.b.c"),
        ("PT1H", "PT1H"),
        ("amount > 5", "amount > 5"),
    ],
)
def test_translates(foreign: str, ours: str) -> None:
    assert translate(foreign) == ours


@pytest.mark.parametrize(
    "foreign",
    [
        "${bean.call()}",
        "${x = 1}",
        "${a ? b : c}",
        "${empty a}",
        "${a[b]}",
        "${a} and ${b}",
        "${a mod 2}",
        "${",
        "${!}",
        "#{execution.getVariable('x')}",
        "${''.getClass().forName('java.lang.Runtime')}",
        "=",
    ],
)
def test_refuses_what_has_no_counterpart(foreign: str) -> None:
    with pytest.raises(PrefixRefused):
        translate(foreign)


def test_names_the_construct_that_procedures_lack() -> None:
    with pytest.raises(ExpressionRefused):
        translate("=for x in items return x")


def test_refusals_are_for_ever() -> None:
    assert issubclass(PrefixRefused, Rejected)


def test_texts_and_places_in_a_row_are_strung_together_where_a_text_may_stand() -> None:
    assert translate("PT${n + 1}H", joins=True) == '"PT" + string(n + 1) + "H"'
    assert translate('${a}"${b}', joins=True) == 'string(a) + "\\"" + string(b)'
    with pytest.raises(PrefixRefused):
        translate("PT${n}H")
