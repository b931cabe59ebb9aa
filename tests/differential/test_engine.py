"""The engine and the reference play the same random models, with save and restore at every step.

A failure prints the seed; `diverges(seed, population)` replays it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

import pytest
from SpiffWorkflow.bpmn.specs.mixins.parallel_gateway import ParallelGateway

from tests.builders.workflows import Play, definition_of, draw
from tests.differential.blocks import Grower, Shape, to_text
from tests.differential.reference import Game, decision_names
from tests.differential.token_game import TokenGame, random_net
from workflows import advance
from workflows.specs import Token

PLAIN = frozenset(
    {Shape.LEAF, Shape.PASS, Shape.SEQUENCE, Shape.PARALLEL, Shape.EXCLUSIVE, Shape.LOOP}
)
POPULATIONS = {
    "plain": PLAIN,
    "inclusive": PLAIN | {Shape.INCLUSIVE},
    "scopes": PLAIN | {Shape.INCLUSIVE, Shape.SUB},
    "everything": frozenset(Shape),
}
SHARDS = 8
MODELS = 500  # of each population: 2,000 in all
STEPS = 40


def decisions_at(names: list[str], pick: random.Random, *, is_late: bool) -> dict[str, int | bool]:
    made: dict[str, int | bool] = {}
    for name in names:
        if name.startswith("d"):
            made[name] = pick.randrange(4)
        else:
            made[name] = pick.random() < 0.4 and not (is_late and name.startswith("l"))
    return made


def values_of(decisions: Mapping[str, int | bool]) -> dict[str, Decimal | bool]:
    return {
        name: value if isinstance(value, bool) else Decimal(value)
        for name, value in decisions.items()
    }


def diverges(seed: int, population: str) -> str:
    """Return how the two differ on the model of a seed, empty when they agree."""
    tree = Grower(seed, POPULATIONS[population]).grow(3)
    pick = random.Random(seed + 1_000_000)
    names = list(decision_names(tree))
    game = Game(tree)
    engine = Play(definition_of(draw(to_text(tree))))
    decisions = decisions_at(names, pick, is_late=True)
    game.start(decisions)
    engine.values.update(values_of(decisions))
    engine.start()
    for step in range(STEPS):
        seen = Counter(engine.open + engine.waiting)
        if engine.incidents or seen != game.open() or engine.finished != game.is_over:
            return f"seed {seed} step {step}: {seen} {engine.finished} / {game.open()}"
        if not seen:
            return ""
        name = pick.choice(sorted(seen))
        decisions = decisions_at(names, pick, is_late=step > STEPS // 2)
        engine.values.update(values_of(decisions))
        game.act(name, decisions)
        engine.done(name) if name in engine.open else engine.message(name)
    return ""


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("population", POPULATIONS)
def test_engine_agrees_with_the_reference(population: str, shard: int) -> None:
    seeds = range(shard, MODELS, SHARDS)
    assert [found for seed in seeds if (found := diverges(seed, population))] == []


def graph_diverges(seed: int) -> str:
    """Return how engine and token game differ on an unstructured net, empty when they agree."""
    net = random_net(seed)
    pick = random.Random(seed + 1_000_000)
    choices = {n: len(net.leaving(n)) for n, kind in net.nodes.items() if kind == "xor"}
    game = TokenGame(net)
    engine = Play(definition_of(draw(net.text())))
    for step in range(STEPS):
        decisions = {node: pick.randrange(max(1, count)) for node, count in choices.items()}
        engine.values.update({node: Decimal(index) for node, index in decisions.items()})
        if step == 0:
            game.start(decisions)
            engine.start()
        else:
            task = pick.choice(sorted(game.open))
            game.act(task, decisions)
            engine.done(task)
        if Counter(engine.open) != game.open or engine.finished != game.is_over:
            return f"seed {seed} step {step}: {engine.open} {engine.finished} / {game.open}"
        if not game.open:
            return ""
    return ""


@pytest.mark.parametrize("shard", range(SHARDS))
def test_engine_agrees_with_the_token_game_on_graphs_without_structure(shard: int) -> None:
    seeds = range(shard, MODELS, SHARDS)
    assert [found for seed in seeds if (found := graph_diverges(seed))] == []


def test_spiffs_own_join_does_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the stock join swapped in, the same models must diverge (engine.md §11)."""

    def stock(token: Token) -> bool:
        if ParallelGateway._check_threshold_unstructured(token.task_spec, token):
            return True
        token._set_state(8)
        return False

    monkeypatch.setattr(advance, "may_pass_parallel", stock)
    assert any(diverges(seed, "plain") for seed in range(60))
