"""Moving tokens by hand, and moving instances to another version."""

from decimal import Decimal

import pytest

from tests.builders.workflows import AT, Play, definition_of, draw, play
from workflows import facts
from workflows.errors import InstanceClosed, MigrationRefused, RepairRefused
from workflows.migrate import Block, migrate, plan, propose

RUNAWAY = "some i in 1..limit satisfies i < 0"
LINE = "start s\nuser a\nuser b\nuser c\nend e\ns > a > b > c > e\n"


def token(p: Play, element: str) -> str:
    return next(task.task_id for task in p.tasks.values() if task.element_id == element)


def test_sends_back_and_forward() -> None:
    p = play(LINE).done("a").done("b")
    p.take(facts.Move(token_id=token(p, "c"), element_id="a"))
    assert p.open == ["a"]
    p.take(facts.Move(token_id=token(p, "a"), element_id="c"))
    assert p.done("c").finished


def test_skips_a_task_and_an_incident() -> None:
    p = play(LINE)
    p.take(facts.Skip(token_id=token(p, "a")))
    assert p.open == ["b"]
    text = f'start s\nscript x script="n={RUNAWAY}"\nuser a\nend e\ns > x > a > e'
    p = play(text, limit=10**6)
    p.take(facts.Skip(token_id=next(iter(p.incidents))))
    assert (p.open, p.incidents) == (["a"], {})


def test_moves_out_of_a_subprocess_but_not_into_one() -> None:
    p = play("start s\nsub box {\nuser i\n}\nuser a\nend e\ns > box > a > e")
    with pytest.raises(RepairRefused):
        p.take(facts.Move(token_id=token(p, "i"), element_id="s"))
    p.take(facts.Move(token_id=token(p, "i"), element_id="a"))
    assert p.open == ["a"]
    with pytest.raises(RepairRefused):
        p.take(facts.Move(token_id=token(p, "a"), element_id="i"))
    assert p.done("a").finished


def test_a_token_moved_to_a_join_passes_it() -> None:
    p = play("start s\nand f\nuser a\nuser b\nand j\nuser c\nend e\ns > f\nf > a > j\n"
             "f > b > j\nj > c > e")  # fmt: skip
    p.take(facts.Move(token_id=token(p, "a"), element_id="j"))
    assert p.open == ["b", "c"]


def test_others_go_on_after_a_halt_was_repaired() -> None:
    p = play("""
    start s
    user a
    and f
    end bad error=oops
    throw late escalation=x
    script n script=n=1
    user b
    end e
    s > a > f
    f > bad
    f > late > b > e
    f > n > e
    """).done("a")
    assert p.halted
    p.take(facts.Move(token_id=next(iter(p.incidents)), element_id="b"))
    assert (p.open, p.values.get("n")) == (["b", "b"], 1)


def test_a_failed_mapping_of_a_boundary_interrupts_when_it_is_retried() -> None:
    p = play(f"""
    start s
    user a
    boundary b on=a message=m lt:out.x="{RUNAWAY}"
    user caught
    end e
    s > a > e
    b > caught > e
    """)
    p.message("b", limit=10**6)
    assert [i.code for i in p.incidents.values()] == ["expression_list_limit"]
    assert (p.open, p.values["limit"]) == (["a"], 10**6)
    p.values["limit"] = Decimal(3)
    p.retry("b")
    assert (p.open, p.values["x"]) == (["caught"], False)


def test_an_uncaught_error_is_repaired_by_a_move() -> None:
    p = play("start s\nuser a\nend bad error=oops\ns > a > bad").done("a")
    assert p.halted
    p.take(facts.Move(token_id=next(iter(p.incidents)), element_id="a"))
    assert (p.open, p.halted, p.incidents) == (["a"], False, {})


def moved(p: Play, new_text: str, mapping: dict[str, str] | None = None) -> Play:
    new = definition_of(draw(new_text))
    found = propose(p.definition, new) if mapping is None else mapping
    transition = migrate(p.definition, new, p.snapshot, found, values=p.values, at=AT)
    p.definition = new
    p.record(transition)
    return p


def test_adding_a_task_keeps_the_open_work() -> None:
    p = play(LINE)
    before = dict(p.tasks)
    moved(p, LINE.replace("user b", "user b\nuser b2").replace("b > c", "b > b2 > c"))
    assert p.tasks == before
    p.done("a").done("b")
    assert p.open == ["b2"]


def test_removed_active_task_needs_mapping() -> None:
    p = play(LINE).done("a")
    new_text = LINE.replace("user b\n", "user x\n").replace("> b >", "> x >")
    new = definition_of(draw(new_text))
    found = propose(p.definition, new)
    assert plan(p.definition, new, p.snapshot, found).blocks == (
        Block(element="b", reason="unmapped"),
    )
    with pytest.raises(MigrationRefused):
        migrate(p.definition, new, p.snapshot, found, values={}, at=AT)
    report = plan(p.definition, new, p.snapshot, {**found, "b": "x"})
    assert (report.kept, report.reopened, report.blocks) == ((), ("b",), ())
    moved(p, new_text, {**found, "b": "x"})
    assert p.open == ["x"]
    assert p.done("x").open == ["c"]


def test_a_new_boundary_begins_to_listen_and_a_join_keeps_its_tokens() -> None:
    text = (
        "start s\nand f\nuser a\nuser b\nand j\nuser c\nend e\n"
        "s > f\nf > a > j\nf > b > j\nj > c > e\n"
    )
    p = play(text).done("a")
    new_text = text + "boundary t on=b duration=PT1H\nend late\nt > late"
    new = definition_of(draw(new_text))
    report = plan(p.definition, new, p.snapshot, propose(p.definition, new))
    assert (report.armed, report.blocks) == (("t",), ())
    moved(p, new_text)
    assert p.waiting == ["t"]
    assert p.done("b").open == ["c"]


def test_a_changed_kind_or_scope_blocks() -> None:
    p = play(LINE)
    new = definition_of(draw(LINE.replace("user a", "manual a")))
    mapping = {**propose(p.definition, new), "a": "a"}
    assert plan(p.definition, new, p.snapshot, mapping).blocks[0].reason == "kind"
    inside = "start s\nsub box {\nuser a\n}\nuser b\nuser c\nend e\ns > box > b > c > e"
    new = definition_of(draw(inside))
    found = plan(p.definition, new, p.snapshot, propose(p.definition, new))
    assert found.blocks[0].reason == "scope"


def test_cancel_withdraws_everything() -> None:
    p = play(LINE)
    p.take(facts.Cancel())
    assert (p.finished, p.tasks) == (True, {})
    with pytest.raises(InstanceClosed):
        p.take(facts.Cancel())


def test_a_running_compensation_goes_on_after_a_migration() -> None:
    text = """
    start s
    user a
    user b
    <association id="l" sourceRef="ca" targetRef="ua"/>
    <association id="m" sourceRef="cb" targetRef="ub"/>
    boundary ca on=a compensate=-
    boundary cb on=b compensate=-
    user ua compensation=true
    user ub compensation=true
    throw back compensate=-
    end e
    s > a > b > back > e
    """
    p = play(text).done("a").done("b")
    new_text = text.replace("user a\n", "user first\n").replace("s > a", "s > first")
    new_text = new_text.replace("on=a", "on=first")
    found = propose(p.definition, definition_of(draw(new_text)))
    blocks = plan(p.definition, definition_of(draw(new_text)), p.snapshot, found).blocks
    assert blocks == (Block(element="a", reason="log"),)
    moved(p, new_text, {**found, "a": "first"})
    assert p.done("ub").open == ["ua"]
    assert p.done("ua").finished
