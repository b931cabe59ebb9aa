"""What may never happen: Python from a model, data in logs, shared state, foreign snapshots."""

from __future__ import annotations

import json
import logging
import zlib
from decimal import Decimal

import pytest

from tests.builders.workflows import AT, INSTANCE, Play, definition_of, draw, play
from workflows import facts, instance, state
from workflows.definition import DefinitionCache, deploy
from workflows.errors import (
    DefinitionRefused,
    RoleUnknown,
    SnapshotNewer,
    SnapshotRefused,
    StartRefused,
    TextNotCompiled,
    TokenClosed,
)
from workflows.evaluating import evaluate
from workflows.specs import RefusingEngine

CANARY = "__import__('os').system('touch')"
POSITIONS = [
    f'start s\nscript x script="{CANARY}"\nend e\ns > x > e',
    f"start s\nxor g\nend e\ns > g\ng > e if {CANARY}",
    f'start s\ncatch c duration="{CANARY}"\nend e\ns > c > e',
    f'start s\ncatch c conditional="{CANARY}"\nend e\ns > c > e',
    f"start s\nuser a parallel=n:{CANARY}\nend e\ns > a > e",
    f"start s\nuser a parallel=n:2;until:{CANARY}\nend e\ns > a > e",
    f"start s\nuser a loop=while:{CANARY}\nend e\ns > a > e",
    f'start s\nuser a lt:in.x="{CANARY}"\nend e\ns > a > e',
    f'start s\nuser a lt:out.x="{CANARY}"\nend e\ns > a > e',
    f'start s\nuser a lt:due="{CANARY}"\nend e\ns > a > e',
]


@pytest.mark.parametrize("text", POSITIONS)
def test_python_is_refused_in_every_position_with_the_element(text: str) -> None:
    deployment = deploy(draw(text))
    blocks = [f for f in deployment.findings if f.severity.value == "error"]
    assert blocks
    assert all(finding.element and finding.line for finding in blocks)
    with pytest.raises(DefinitionRefused):
        deployment.definition("p")


def test_the_engine_of_spiff_refuses_everything() -> None:
    engine = RefusingEngine()
    for call in (
        lambda: engine.environment.evaluate("1", {}),
        lambda: engine.environment.execute("x = 1", {}),
        lambda: engine.validate("1"),
        lambda: engine.evaluate(None, "1"),
        lambda: engine.execute(None, "x = 1"),
        lambda: engine.call_service(None),
    ):
        with pytest.raises(DefinitionRefused):
            call()


def test_a_text_outside_the_compiled_table_has_no_value() -> None:
    definition = definition_of(draw("start s\nuser a\nend e\ns > a > e"))
    walk = instance.new_walk(definition, INSTANCE, {}, AT)
    with pytest.raises(TextNotCompiled):
        evaluate(walk, walk.workflow.task_tree, "1 + 1")


def test_canary_value_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        play("start s\nuser a\nend e\ns > a > e", who="Nguyễn Văn Bí Mật").done("a")
    assert "Bí Mật" not in caplog.text
    assert all("Bí Mật" not in str(vars(record)) for record in caplog.records)


def test_case_values_never_enter_the_snapshot() -> None:
    p = play("start s\nuser a\nuser b\nend e\ns > a > b > e").done("a", who="Bí Mật")
    assert "Bí Mật" not in zlib.decompress(p.snapshot[4:]).decode()


@pytest.mark.parametrize("value", ["UUID", "datetime", {"typename": "x"}, [{"typename": 1}]])
def test_typename_field_roundtrip(value: object) -> None:
    p = play("start s\nuser a\nuser b\nend e\ns > a > b > e")
    task = next(iter(p.tasks))
    fact = facts.TaskCompleted(task_id=task, values={"typename": value})  # type: ignore[dict-item]  # not even JSON
    p.take(fact).done("b")
    assert (p.values["typename"], p.finished) == (value, True)


def test_branches_do_not_share_nested_data() -> None:
    p = play("""
    start s
    and f
    script x script="left={n:1}"
    script y script="right={n:2}"
    and j
    user a
    end e
    s > f
    f > x > j
    f > y > j
    j > a > e
    """)
    assert (p.values["left"], p.values["right"]) == ({"n": Decimal(1)}, {"n": Decimal(2)})


def test_second_instance_unaffected() -> None:
    definition = definition_of(
        draw("""
    start s
    user main
    end e
    sub h triggered=true {
    start hs message=m
    user handling
    end he
    hs > handling > he
    }
    s > main > e
    """)
    )
    Play(definition).start()
    before = fingerprint(definition.specs)
    first = Play(definition, instance_id="a").start().message("hs").done("handling")
    second = Play(definition, instance_id="b").start()
    assert first.finished
    assert (second.open, second.waiting) == (["main"], ["hs"])
    assert fingerprint(definition.specs) == before


def fingerprint(specs: object) -> str:
    assert isinstance(specs, dict)
    return json.dumps(
        {
            scope: {
                name: [task._inputs, task._outputs, task.data, task.defines, task.lookahead]
                for name, task in spec.task_specs.items()
            }
            for scope, spec in specs.items()
        },
        sort_keys=True,
    )


def test_snapshots_of_another_version_or_definition_are_refused() -> None:
    p = play("start s\nuser a\nend e\ns > a > e")
    other = definition_of(draw("start s\nuser b\nend e\ns > b > e"))
    fact = facts.TaskCompleted(task_id=next(iter(p.tasks)))
    newer = p.snapshot[:3] + bytes([state.VERSION + 1]) + p.snapshot[4:]
    for definition, snapshot in (
        (p.definition, b"garbage"),
        (p.definition, p.snapshot[:-3]),
        (p.definition, p.snapshot[:4] + zlib.compress(b'{"i":1}')),
        (other, p.snapshot),
    ):
        with pytest.raises(SnapshotRefused):
            instance.apply(definition, snapshot, fact, values={}, at=AT)
    with pytest.raises(SnapshotNewer):
        instance.apply(p.definition, newer, fact, values={}, at=AT)


def test_unknown_ids_are_conflicts() -> None:
    p = play("start s\nuser a\nend e\ns > a > e")
    for wrong in ("", "x", f"{INSTANCE}:999", f"{INSTANCE}:1:1:1", "other:2", f"{INSTANCE}:2.7"):
        with pytest.raises(TokenClosed):
            p.take(facts.TaskCompleted(task_id=wrong))
    with pytest.raises(TokenClosed):
        p.take(facts.TimerFired(subscription_id=next(iter(p.tasks))))


def test_two_people_completing_one_task_the_second_gets_a_conflict() -> None:
    p = play("start s\nuser a\nuser b\nend e\ns > a > b > e")
    fact = facts.TaskCompleted(task_id=next(iter(p.tasks)))
    p.take(fact)
    with pytest.raises(TokenClosed):
        p.take(fact)


def test_the_same_fact_gives_the_same_bytes_and_ids() -> None:
    p = play("start s\nuser a\nuser b\nend e\ns > a > b > e")
    fact = facts.TaskCompleted(task_id=next(iter(p.tasks)))
    one, two = (instance.apply(p.definition, p.snapshot, fact, values={}, at=AT) for _ in range(2))
    assert one == two


def test_a_failed_mapping_keeps_what_was_sent_and_can_be_retried() -> None:
    runaway = "some i in 1..limit satisfies i < 0"
    p = play(f'start s\nuser a lt:out.found="{runaway}"\nend e\ns > a > e')
    p.done("a", limit=10**6, note="kept")
    assert [i.code for i in p.incidents.values()] == ["expression_list_limit"]
    assert "kept" not in str(p.incidents)
    assert (p.open, p.values["note"]) == ([], "kept")
    p.values["limit"] = Decimal(3)
    p.retry("a")
    assert (p.finished, p.values["found"]) == (True, False)


def test_no_form_or_script_writes_the_procedures_parameters() -> None:
    p = play("start s\nuser a\nuser b\nend e\ns > a > b > e")
    task = next(iter(p.tasks))
    p.take(facts.TaskCompleted(task_id=task, values={"param": {"fee": Decimal(0)}, "x": "y"}))
    assert [i.code for i in p.incidents.values()] == ["name_reserved"]
    assert ("param" in p.values, p.values["x"]) == (False, "y")
    assert p.retry("a").open == ["b"]
    p = play("start s\nscript a script=param=1\nend e\ns > a > e")
    assert [i.code for i in p.incidents.values()] == ["name_reserved"]


def test_starts_are_refused_where_there_is_none() -> None:
    by_message = definition_of(draw("start s message=m\nend e\ns > e"))
    plain = definition_of(draw("start s\nuser a\nend e\ns > a > e"))
    with pytest.raises(StartRefused):
        Play(by_message).start()
    with pytest.raises(StartRefused):
        Play(plain).start("a")
    with pytest.raises(RoleUnknown):
        deploy(draw("start s\nend e\ns > e")).definition("nobody")


def test_the_cache_parses_a_version_once() -> None:
    source = draw("start s\nuser a\nend e\ns > a > e")
    loads: list[str] = []

    def load(digest: str) -> bytes:
        loads.append(digest)
        return source

    cache = DefinitionCache(load, size=2)
    assert cache.get("x").definition("p") is cache.get("x").definition("p")
    assert loads == ["x"]
    cache.get("y")
    cache.get("z")
    cache.get("x")
    assert loads == ["x", "y", "z", "x"]
    assert (cache.hits, cache.misses) == (1, 4)
