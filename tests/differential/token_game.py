"""A marking game for graphs without structure: tokens on flows, and a list of open tasks.

It plays what block models never show: several tokens on one flow, joins that starve, merges in
front of joins. Nothing of the engine is used.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Net:
    """A mutable drawing: nodes by id with their kind, flows as pairs in order."""

    nodes: dict[str, str] = field(default_factory=dict)  # id → user, and, xor, end
    flows: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """Return the drawing as text for `tests.builders.workflows.draw`."""
        lines = ["start begin", *(f"{kind} {node}" for node, kind in self.nodes.items())]
        for source, target in self.flows:
            choice = self.nodes.get(source) == "xor" and len(self.leaving(source)) > 1
            index = self.leaving(source).index((source, target))
            lines.append(f"{source} > {target}" + (f" if {source} = {index}" if choice else ""))
        return "\n".join(lines)

    def leaving(self, node: str) -> list[tuple[str, str]]:
        """Return the flows out of a node."""
        return [flow for flow in self.flows if flow[0] == node]

    def arriving(self, node: str) -> list[tuple[str, str]]:
        """Return the flows into a node."""
        return [flow for flow in self.flows if flow[1] == node]


def random_net(seed: int) -> Net:
    """Return a connected net of layers, each flow leading to a later layer."""
    pick = random.Random(seed)
    net = Net()
    layers = [["begin"]]
    for number in range(pick.randrange(3, 7)):
        layer = [f"n{number}{letter}" for letter in "abc"[: pick.randrange(1, 4)]]
        for node in layer:
            net.nodes[node] = pick.choice(("user", "user", "and", "xor"))
        layers.append(layer)
    net.nodes["finish"] = "end"
    layers.append(["finish"])
    for index, layer in enumerate(layers[:-1]):
        later = [node for other in layers[index + 1 :] for node in other]
        for node in layer:
            count = 2 if index == 0 else pick.choice((1, 1, 2))
            chosen = pick.sample(later, min(count, len(later)))
            net.flows += [(node, target) for target in dict.fromkeys(chosen)]
    for index, layer in enumerate(layers[1:], start=1):
        earlier = [node for other in layers[:index] for node in other]
        for node in layer:
            if not net.arriving(node):
                net.flows.append((pick.choice(earlier), node))
    return net


class TokenGame:
    """The state of a net: how many tokens wait on each flow into a join, which tasks are open."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._waiting: Counter[tuple[str, str]] = Counter()
        self.open: Counter[str] = Counter()
        self.decisions: dict[str, int] = {}

    def start(self, decisions: dict[str, int]) -> None:
        """Put the first tokens."""
        self.decisions = decisions
        self._leave("begin")

    def act(self, task: str, decisions: dict[str, int]) -> None:
        """Finish one open task."""
        self.decisions = decisions
        self.open -= Counter([task])
        self._leave(task)

    @property
    def is_over(self) -> bool:
        """Tell whether no token is left anywhere."""
        return not self.open and not +self._waiting

    def _leave(self, node: str) -> None:
        flows = self._net.leaving(node)
        if self._net.nodes.get(node) == "xor" and len(flows) > 1:
            flows = [flows[self.decisions[node]]]
        for flow in flows:
            self._arrive(flow)

    def _arrive(self, flow: tuple[str, str]) -> None:
        node = flow[1]
        kind = self._net.nodes[node]
        if kind == "user":
            self.open[node] += 1
        elif kind == "and":
            self._waiting[flow] += 1
            inputs = self._net.arriving(node)
            if all(self._waiting[other] for other in inputs):
                self._waiting.subtract(inputs)
                self._leave(node)
        elif kind == "xor":
            self._leave(node)
