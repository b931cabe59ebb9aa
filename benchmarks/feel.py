"""FEEL and DMN: a table against SpiffWorkflow's, a condition against Python, the compile cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final

from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.dmn.engine.DMNEngine import DMNEngine
from SpiffWorkflow.dmn.parser.DMNParser import DMNParser

from benchmarks.measure import Bound, Measure, seconds_per_call
from dossier import safexml
from workflows.dmn import load_model
from workflows.expressions import compile_expression
from workflows.expressions.expression import compiled_expression

_NAMESPACE: Final = "https://www.omg.org/spec/DMN/20191111/MODEL/"
_RULES: Final = 10
_CONDITION: Final = "amount > 5"


def run(only: str) -> Iterator[Measure]:
    """Yield the figures of the room whose names begin with `only`."""
    figures = {"feel.table": _table, "feel.condition": _condition, "feel.cache": _cache}
    for name, measure in figures.items():
        if name.startswith(only):
            yield measure(name)


def _file() -> bytes:
    """Return a table of ten rules over two inputs, of which the last one matches."""
    rows = "".join(
        f'<rule id="r{n}"><inputEntry id="i{n}"><text>{amount}</text></inputEntry>'
        f'<inputEntry id="j{n}"><text>"{kind}"</text></inputEntry>'
        f'<outputEntry id="o{n}"><text>{n}</text></outputEntry></rule>'
        for n, (amount, kind) in enumerate(
            [(f"&lt; {step}", "land") for step in range(1, _RULES)] + [("&gt;= 50", "land")]
        )
    )
    clauses = "".join(
        f'<input id="{name}_in" label="{name}"><inputExpression id="{name}_e"><text>{name}</text>'
        "</inputExpression></input>"
        for name in ("amount", "kind")
    )
    return (
        f'<definitions xmlns="{_NAMESPACE}" id="d" name="d" namespace="urn:bench">'
        '<inputData id="a" name="amount"/><inputData id="k" name="kind"/>'
        '<decision id="fee" name="fee"><decisionTable id="t" hitPolicy="UNIQUE">'
        f'{clauses}<output id="out" name="fee"/>{rows}</decisionTable></decision></definitions>'
    ).encode()


def _table(name: str) -> Measure:
    content = _file()
    required = (
        b'<informationRequirement><requiredInput href="#a"/></informationRequirement>'
        b'<informationRequirement><requiredInput href="#k"/></informationRequirement>'
    )
    model = load_model([content.replace(b"<decisionTable", required + b"<decisionTable")])
    inputs = {"amount": Decimal(70), "kind": "land"}
    stock, task = _stock(content)
    assert model.evaluate("fee", inputs).value == 9 and stock.result(task) == {"fee": 9}
    ours, theirs = _paired(
        lambda: model.evaluate("fee", inputs), lambda: stock.result(task), calls=40
    )
    return Measure(
        name=name,
        value=ours,
        unit="s",
        baseline="SpiffWorkflow's DMN engine on the same table of ten rules",
        ratio=ours / theirs,
        gate=1 / 5,
    )


def _stock(content: bytes) -> tuple[DMNEngine, Any]:
    root = safexml.parse(content)
    parser = DMNParser(None, root, {"dmn": _NAMESPACE}, filename="bench.dmn")
    decision = root.find(f"{{{_NAMESPACE}}}decision")
    parsed = parser._parse_decision([decision])
    workflow = SimpleNamespace(script_engine=PythonScriptEngine())
    task = SimpleNamespace(data={"amount": 70, "kind": "land"}, workflow=workflow)
    return DMNEngine(parsed.decisionTables[0]), task


def _condition(name: str) -> Measure:
    compiled = compile_expression(_CONDITION)
    values = {"amount": Decimal(7)}
    five = Decimal(5)
    ours, python = _paired(
        lambda: compiled.evaluate(values), lambda: values["amount"] > five, calls=5_000
    )
    return Measure(
        name=name,
        value=ours,
        unit="s",
        baseline="the same comparison of decimals written in Python",
        ratio=ours / python,
        gate=40,
    )


def _paired(
    one: Callable[[], object], other: Callable[[], object], *, calls: int
) -> tuple[float, float]:
    """Return the seconds of each call: the best of fifteen rounds, taken in turns.

    Microseconds are compared here: a neighbour on the machine must not fall on one side only.
    """
    taken = [
        (
            seconds_per_call(one, calls=calls, rounds=1),
            seconds_per_call(other, calls=calls, rounds=1),
        )
        for _ in range(15)
    ]
    return min(pair[0] for pair in taken), min(pair[1] for pair in taken)


def _cache(name: str) -> Measure:
    """Count the hits of a node that steps the same fifty conditions ten thousand times."""
    compiled_expression.cache_clear()
    lookups = 10_000
    for step in range(lookups):
        compile_expression(f"amount > {step % 50}")
    hits = compiled_expression.cache_info().hits
    return Measure(
        name=name,
        value=hits,
        unit="hits",
        baseline=f"{lookups} look-ups of 50 conditions",
        ratio=hits / lookups,
        gate=0.99,
        bound=Bound.AT_LEAST,
    )
