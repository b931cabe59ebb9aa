"""What other engines get wrong and bad models: each has its test, and the table that says which."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import tree
from tests.builders.workflows import Play, definition_of, draw, play
from workflows.definition import deploy
from workflows.findings import Finding, Severity

PAGE = tree.ROOT / "docs" / "reference" / "engine-tests.md"
ROW = re.compile(r"^\| (.+?) \| .+ \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
WRONG = [f"W{number}" for number in range(1, 18)]
BAD_INPUT = [f"B{number}" for number in range(1, 13)]


@cache
def _tests_of(path: str) -> frozenset[str]:
    parsed = ast.parse((tree.ROOT / "tests" / path).read_text())
    return frozenset(node.name for node in ast.walk(parsed) if isinstance(node, ast.FunctionDef))


def test_each_row_of_the_table_names_tests_that_exist() -> None:
    rows = [row for row in ROW.findall(PAGE.read_text()) if re.fullmatch(r"[WB]\d+", row[0])]
    assert [number for number, _tests in rows] == WRONG + BAD_INPUT
    for number, tests in rows:
        named = TEST.findall(tests)
        assert named, number
        for path, test in named:
            assert test in _tests_of(path), f"{number}: {path}::{test}"


def _blocking(source: bytes) -> list[Finding]:
    return [one for one in deploy(source).findings if one.severity is Severity.ERROR]


@given(cut=st.integers(min_value=1, max_value=200))
@settings(max_examples=25, deadline=None)
def test_a_file_that_is_cut_off_names_its_line(cut: int) -> None:
    source = draw("start s\nuser a\nend e\ns > a > e")
    (finding,) = _blocking(source[: -cut - 1])
    assert (finding.rule, finding.line > 0) == ("xml_refused", True)


@pytest.mark.parametrize(
    ("namespace", "root"),
    [
        ("http://www.omg.org/spec/BPMN/20090101/MODEL", "{…/20090101/MODEL}definitions"),
        ("urn:something-else", "{urn:something-else}definitions"),
        ("", "definitions"),
    ],
)
def test_another_namespace_is_refused_by_its_name(namespace: str, root: str) -> None:
    right = b"http://www.omg.org/spec/BPMN/20100524/MODEL"
    source = draw("start s\nend e\ns > e").replace(right, namespace.encode())
    (finding,) = _blocking(source)
    assert finding.rule == "not_bpmn"
    told = str(finding.parameters["element"]).replace("http://www.omg.org/spec/BPMN", "…")
    assert told == root


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ("start s\nuser a\nend e\ns > a\na > e if n > > 3", "expression_refused", 1, 5),
        ('start s\nscript x script="a = 1|b = (2"\nend e\ns > x > e', "script_refused", 2, 7),
    ],
)
def test_an_expression_that_does_not_parse_names_its_position(
    text: str, rule: str, line: int, column: int
) -> None:
    (finding,) = _blocking(draw(text))
    where = (finding.parameters["line"], finding.parameters["column"])
    assert (finding.rule, where) == (rule, (line, column))


def test_an_expression_that_runs_away_names_its_limit() -> None:
    p = play("""
    start s
    user a
    script x script="y = some i in 1..n satisfies i < 0"
    end e
    s > a > x > e
    """).done("a", n=10**7)
    (incident,) = p.incidents.values()
    assert (incident.element_id, incident.code) == ("x", "expression_list_limit")
    assert incident.parameters == {"limit": 10_000}


@pytest.mark.parametrize("timer", ["date=2024-02-30", "cycle=R/PT0S", "duration=-PT1H"])
def test_impossible_times_are_refused_before_anything_runs(timer: str) -> None:
    (finding,) = _blocking(draw(f"start s\ncatch c {timer}\nend e\ns > c > e"))
    assert (finding.rule, finding.element) == ("timer_refused", "c")


CALLED = """<error id="oops" name="oops" errorCode="oops"/>
<process id="q" isExecutable="true"><startEvent id="qs"/><userTask id="inside"/>
<endEvent id="bad"><errorEventDefinition errorRef="oops"/></endEvent>
<sequenceFlow id="q1" sourceRef="qs" targetRef="inside"/>
<sequenceFlow id="q2" sourceRef="inside" targetRef="bad"/></process>"""
CALLING = """
start s
and f
call c called=q
boundary b on=c error=other
user beside
user caught
end e
s > f
f > c > e
f > beside > e
b > caught > e
"""
TOP = """
start s
and f
user inside
user beside
end bad error=oops
end e
s > f
f > inside > bad
f > beside > e
"""


@pytest.mark.parametrize(("text", "top"), [(CALLING, CALLED), (TOP, "")])
def test_an_uncaught_error_halts_the_instance_wherever_it_is_thrown(text: str, top: str) -> None:
    p = Play(definition_of(draw(text, top=top))).start()
    p.done("inside")
    assert [(i.element_id, i.code) for i in p.incidents.values()] == [("bad", "uncaught_error")]
    assert (p.halted, p.finished, p.open) == (True, False, ["beside"])


def test_a_noninterrupting_escalation_handler_leaves_its_scope_running() -> None:
    p = play("""
    start s
    user first
    throw shout escalation=late
    user main
    end e
    sub h triggered=true {
    start hs escalation=late interrupting=false
    user handling
    end he
    hs > handling > he
    }
    s > first > shout > main > e
    """)
    assert p.open == ["first"]
    assert p.done("first").open == ["handling", "main"]
    assert p.done("main").done("handling").finished


def test_lists_of_parallel_branches_are_kept_whole() -> None:
    for order in ("ab", "ba"):
        p = play("""
        start s
        and f
        user a
        user b
        and j
        user review
        end e
        s > f
        f > a > j
        f > b > j
        j > review > e
        """)
        for task in order:
            p.done(task, **{f"from_{task}": [task] * (1 + (task == "b") * 2)})  # type: ignore[arg-type]  # lists are values
        assert (p.values["from_a"], p.values["from_b"]) == (["a"], ["b", "b", "b"])
