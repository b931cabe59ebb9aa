"""The engine's speed gates: flat cost per step, and beside SpiffWorkflow's own save and restore."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer.workflow import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.util.task import BpmnTaskIterator
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskIterator, TaskState

from benchmarks.measure import Bound, Measure, seconds_per_call
from benchmarks.peer_bpmn_engine import seconds_of_five_tasks
from tests.builders.workflows import Play, definition_of, draw
from workflows.definition import DefinitionCache

TASK_LOOP = """
start s
xor m
user a
xor g default=g-e
end e
s > m > a > g
g > m if again
g > e
"""
PARALLEL_LOOP = """
start s
xor m
and f
user a
user b
user c
and j
xor g default=g-e
end e
s > m > f
f > a > j
f > b > j
f > c > j
j > g
g > m if again
g > e
"""
FIVE = "start s\nuser t1\nuser t2\nuser t3\nuser t4\nuser t5\nend e\ns > t1 > t2 > t3 > t4 > t5 > e"


def run(only: str) -> Iterator[Measure]:
    """Yield the figures whose names begin with `only`."""
    for name, measure in _MEASURES.items():
        if name.startswith(only):
            yield measure(name)


def _seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - chooses what to complete, guards nothing


def _ms(seconds: float) -> float:
    return seconds * 1000


def _median_pair(
    small: Callable[[], object], large: Callable[[], object], *, rounds: int = 60
) -> tuple[float, float]:
    """Return the medians of two calls taken in turn, so that noise meets both alike."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for times, call in zip(taken, (small, large), strict=True):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
    return sorted(taken[0])[rounds // 2], sorted(taken[1])[rounds // 2]


def _grown(text: str, completions: int) -> Play:
    play = Play(definition_of(draw(text)))
    play.start()
    pick = _seeded(1)
    for _ in range(completions):
        _complete(play, pick)
    return play


def _complete(play: Play, pick: random.Random) -> None:
    play.done(pick.choice(play.open), again=True)
    play.commands.clear()
    play.history.clear()


def _flat(text: str, large: int) -> tuple[float, float, Play, Play]:
    few, many = _grown(text, 9), _grown(text, large)
    pick = _seeded(2)
    times = _median_pair(lambda: _complete(few, pick), lambda: _complete(many, pick))
    return *times, few, many


def _step_at_5000(name: str) -> Measure:
    few, many, _, _ = _flat(TASK_LOOP, 5_000)
    return Measure(
        name=name,
        value=_ms(many),
        unit="ms",
        baseline="the same completion with 10 completed tasks",
        ratio=many / few,
        gate=1.3,
    )


def _parallel_at_2000(name: str) -> Measure:
    few, many, _, _ = _flat(PARALLEL_LOOP, 2_000)
    return Measure(
        name=name,
        value=_ms(many),
        unit="ms",
        baseline="the same completion with 10 completed tasks",
        ratio=many / few,
        gate=2.0,
    )


def _snapshot(name: str) -> Measure:
    few, many = _grown(TASK_LOOP, 10), _grown(TASK_LOOP, 5_000)
    return Measure(
        name=name,
        value=len(many.snapshot),
        unit="bytes",
        baseline="the snapshot with 10 completed tasks",
        ratio=len(many.snapshot) / len(few.snapshot),
        gate=1.05,
    )


def _many_instances(name: str) -> Measure:
    few = _instances(10)
    many = _instances(1_000)
    small, large = _median_pair(few, many, rounds=9)
    return Measure(
        name=name,
        value=_ms(large),
        unit="ms",
        baseline="completing one of 10 instances of a parallel loop",
        ratio=large / small,
        gate=3.0,
    )


def _instances(count: int) -> Callable[[], object]:
    play = Play(definition_of(draw(f"start s\nuser a parallel=n:{count}\nend e\ns > a > e")))
    play.start()
    play.commands.clear()
    return lambda: play.done("a")


def _five_tasks(name: str) -> Measure:
    stock = _Stock(FIVE)
    definition = definition_of(draw(FIVE))

    def ours() -> None:
        play = Play(definition).start()
        for task in ("t1", "t2", "t3", "t4", "t5"):
            play.done(task)

    theirs, own = _median_pair(lambda: stock.play(5), ours, rounds=30)
    return Measure(
        name=name,
        value=6 / own,
        unit="transitions/s",
        baseline="SpiffWorkflow with its own save and restore at each step",
        ratio=theirs / own,
        gate=1.6,
        bound=Bound.AT_LEAST,
    )


def _five_tasks_npm(name: str) -> Measure:
    model = draw(FIVE)
    definition = definition_of(model)

    def ours() -> None:
        play = Play(definition).start()
        for task in ("t1", "t2", "t3", "t4", "t5"):
            play.done(task)

    theirs = seconds_of_five_tasks(model, rounds=30)
    own = seconds_per_call(ours)
    return Measure(
        name=name,
        value=6 / own,
        unit="transitions/s",
        baseline="npm bpmn-engine 25.0.1 with save and restore at each step",
        ratio=theirs / own,
        bound=Bound.AT_LEAST,
    )


def _thousand_tasks(name: str) -> Measure:
    stock = _Stock(TASK_LOOP)
    many = _grown(TASK_LOOP, 1_000)
    pick = _seeded(3)
    with _without_depth_limit():
        state = stock.grown(1_000)
        theirs, own = _median_pair(
            lambda: stock.step(state), lambda: _complete(many, pick), rounds=5
        )
    return Measure(
        name=name,
        value=_ms(own),
        unit="ms",
        baseline="SpiffWorkflow: restore, complete, save with 1,000 completed tasks",
        ratio=theirs / own,
        gate=20.0,
        bound=Bound.AT_LEAST,
    )


def _cache(name: str) -> Measure:
    sources = {str(number): draw(TASK_LOOP, process=f"p{number}") for number in range(4)}
    cache = DefinitionCache(lambda digest: sources[digest])
    pick = _seeded(4)
    for _ in range(2_000):
        cache.get(pick.choice(sorted(sources)))
    share = cache.hits / (cache.hits + cache.misses)
    return Measure(
        name=name,
        value=share,
        unit="share of look-ups",
        baseline="all look-ups of 4 definitions",
        ratio=share,
        gate=0.99,
        bound=Bound.AT_LEAST,
    )


@contextmanager
def _without_depth_limit() -> Iterator[None]:
    """Let SpiffWorkflow's iterator see below depth 1,000, where it would stall (engine.md, W7)."""
    starts = [TaskIterator.__init__, BpmnTaskIterator.__init__]
    kept = [start.__defaults__ for start in starts]
    for start, defaults in zip(starts, kept, strict=True):
        start.__defaults__ = tuple(10**9 if value == 1000 else value for value in defaults)
    try:
        yield
    finally:
        for start, defaults in zip(starts, kept, strict=True):
            start.__defaults__ = defaults


class _Stock:
    """SpiffWorkflow as it comes, saved and restored as JSON at every step."""

    def __init__(self, text: str) -> None:
        # Its conditions are Python; `again` is always set before a gateway asks for it.
        source = draw(text)
        parser = BpmnParser()
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.bpmn"
            path.write_bytes(source)
            parser.add_bpmn_file(str(path))
            self._spec = parser.get_spec("p")
        self._serializer = BpmnWorkflowSerializer()

    def play(self, steps: int) -> None:
        """Start and complete that many tasks."""
        workflow = BpmnWorkflow(self._spec)
        workflow.do_engine_steps()
        state = self._serializer.serialize_json(workflow)
        for _ in range(steps):
            state = self.step(state)

    def grown(self, steps: int) -> str:
        """Return the saved state after that many completions, kept in memory until then."""
        workflow = BpmnWorkflow(self._spec)
        workflow.do_engine_steps()
        for _ in range(steps):
            self._complete(workflow)
        return str(self._serializer.serialize_json(workflow))

    def step(self, state: str) -> str:
        """Restore, complete one task, save."""
        workflow = self._serializer.deserialize_json(state)
        self._complete(workflow)
        return str(self._serializer.serialize_json(workflow))

    def _complete(self, workflow: BpmnWorkflow) -> None:
        task = workflow.get_tasks(state=TaskState.READY, manual=True)[0]
        task.data["again"] = True
        task.run()
        workflow.do_engine_steps()


_MEASURES: dict[str, Callable[[str], Measure]] = {
    "engine.step_at_5000": _step_at_5000,
    "engine.parallel_at_2000": _parallel_at_2000,
    "engine.snapshot_at_5000": _snapshot,
    "engine.instances_1000": _many_instances,
    "engine.five_tasks": _five_tasks,
    "engine.five_tasks_npm": _five_tasks_npm,
    "engine.thousand_tasks": _thousand_tasks,
    "engine.definition_cache": _cache,
}
