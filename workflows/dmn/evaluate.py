"""Evaluating a model: what is asked for, after everything it requires (DMN 1.5, 10.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dossier.errors import Rejected
from workflows.dmn.boxed import compile_box, compile_function
from workflows.dmn.errors import DecisionUnknown
from workflows.dmn.graph import Graph, Node
from workflows.dmn.inputs import shaped
from workflows.dmn.items import component_names
from workflows.dmn.journal import (
    DecisionRun,
    Journal,
    Problem,
    TableTrace,
    journal_of,
    problem_of,
)
from workflows.dmn.model import Decision, DecisionService, InputElement, Knowledge, Reference
from workflows.dmn.place import Place
from workflows.dmn.reader import read_definitions
from workflows.dmn.walk import entry_names
from workflows.expressions.calls import bind
from workflows.expressions.expression import check_size, guarded, vocabulary_of
from workflows.expressions.profile import DMN
from workflows.expressions.runtime import (
    Evaluator,
    Feel,
    Function,
    Parameter,
    Run,
    Scope,
    Signature,
)
from workflows.expressions.types import FunctionOf, Type
from workflows.expressions.values import to_feel


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The value of one decision and how it came about."""

    name: str
    value: Feel
    problems: tuple[Problem, ...]  # with any of these the value must not be used
    hints: tuple[Problem, ...]  # nulls that FEEL gives without calling them errors
    traces: tuple[TableTrace, ...]
    inputs: Mapping[str, Feel]  # those that were read
    digest: str  # of the file that holds the decision


class Model:
    """The files of one call, compiled element by element when first asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._compiled: dict[Reference, Evaluator] = {}
        self._problems: dict[Reference, tuple[Problem, ...]] = {}
        self._orders: dict[tuple[tuple[Reference, ...], frozenset[Reference]], Sequence[Node]] = {}
        self._entrances: dict[Reference, tuple[Place, tuple[str, ...], Type]] = {}
        entries = (
            name
            for file in graph.files
            for names in (component_names(file.items), *map(entry_names, file.elements))
            for name in names
        )
        elements = (node.element.name for node in graph.nodes.values())
        self._vocabulary = vocabulary_of((*entries, *elements))

    def evaluate(
        self, name: str, inputs: Mapping[str, object], *, at: datetime | None = None
    ) -> Outcome:
        """Return the outcome of the decision, knowledge model or decision service `name`.

        Raise `DecisionUnknown`, `DecisionCycle`, and the leaves of `expressions.errors` for a
        breach of a limit or an input outside the closed set of values. Errors inside of the model
        are problems of the outcome.
        """
        node = self.graph.named(name)
        evaluation = _Evaluation(self, inputs, at)
        run = evaluation.run
        value = guarded(lambda scope: evaluation.asked(node), Scope({}, run))
        check_size(value, DMN)
        return _outcome(node, value, journal_of(run))

    def evaluate_all(
        self, inputs: Mapping[str, object], *, at: datetime | None = None
    ) -> tuple[Outcome, ...]:
        """Return the outcomes of all decisions of the first file, each evaluated once.

        A breached limit is a problem of its decision, and of those that require it.
        """
        evaluation = _Evaluation(self, inputs, at)
        asked = [node.reference for node in self.graph.decisions()]
        ordered, circles = self.graph.order_with_circles(asked, ())
        found = evaluation.each(ordered, frozenset(circles))
        return tuple(found[reference] for reference in asked if reference in found)

    def problems(self, node: Node) -> tuple[Problem, ...]:
        """Return what compiling the element finds."""
        self.evaluator(node)
        return self._problems.get(node.reference, ())

    def evaluator(self, node: Node) -> Evaluator:
        """Return the evaluator of an element over the names that it requires."""
        known = self._compiled.get(node.reference)
        if known is None:
            place = self.place(node, self.graph.requires(node))
            known = self._compile(node, place)
            self._compiled[node.reference] = known
            self._problems[node.reference] = tuple(place.found)
        return known

    def order(self, targets: tuple[Reference, ...], known: frozenset[Reference]) -> Sequence[Node]:
        """Return the order of evaluation; it is found once for the same targets."""
        key = (targets, known)
        if key not in self._orders:
            self._orders[key] = self.graph.order(targets, known)
        return self._orders[key]

    def entrance(self, node: Node) -> tuple[Place, tuple[str, ...], Type]:
        """Return where an input comes in: its place, its imports' names, its type."""
        found = self._entrances.get(node.reference)
        if found is None:
            place = self.place(node, ())
            wanted = place.type_of(node.element.type_ref, node.element.line)
            found = (place, self.graph.import_path(node.definitions), wanted)
            self._entrances[node.reference] = found
        return found

    def place(self, node: Node, requires: Iterable[Reference]) -> Place:
        """Return the surroundings of the expressions of an element."""
        known = dict.fromkeys(requires)
        seen = self.graph.visible(known, known, node.definitions)
        return Place(
            element=node.element.name,
            types=self.graph.types[node.definitions.namespace],
            names=frozenset(seen),
            vocabulary=self._vocabulary,
        )

    def _compile(self, node: Node, place: Place) -> Evaluator:
        element = node.element
        for missing in self.graph.missing(node):
            parameters = (("name", missing.id),)
            place.found.append(
                Problem("dmn_reference_unknown", element.name, element.line, 0, parameters)
            )
        if isinstance(element, Decision):
            if element.body is None:
                return lambda scope: None
            body = compile_box(element.body, place)
            return place.typed(body, element.type_ref, element.line)
        if isinstance(element, Knowledge):
            return self._knowledge(element, place)
        if isinstance(element, DecisionService):
            return self._service(element, place)
        return lambda scope: None  # an input that nobody gave

    def _knowledge(self, element: Knowledge, place: Place) -> Evaluator:
        """Return the evaluator of the function; the variable's type is its own or its result's."""
        if element.body is None:
            return lambda scope: None
        wanted = place.type_of(element.type_ref, element.line)
        is_result = element.type_ref and not isinstance(wanted, FunctionOf)
        body = element.body
        if is_result and not body.type_ref:
            body = replace(body, type_ref=element.type_ref)
        made = compile_function(body, place.seeing([element.name]), element.name)

        def recursive(scope: Scope) -> Feel:
            own: dict[str, Feel] = {}
            own[element.name] = made(Scope(own, scope.run, scope))
            return own[element.name]

        return recursive

    def _service(self, element: DecisionService, place: Place) -> Evaluator:
        """Return the evaluator of the function: parameters are the inputs, then input decisions."""
        entries = [
            self.graph.nodes[reference]
            for reference in (*element.input_elements, *element.input_decisions)
            if reference in self.graph.nodes
        ]
        parameters = tuple(
            Parameter(
                node.element.name,
                self.place(node, ()).type_of(node.element.type_ref, node.element.line),
                nullable=True,
            )
            for node in entries
        )
        references = [node.reference for node in entries]
        wanted = place.type_of(element.type_ref, element.line)
        result_type = wanted.result if isinstance(wanted, FunctionOf) else wanted

        def call(values: list[Feel], run: Run) -> Feel:
            run.enter()
            try:
                known = dict(zip(references, values, strict=True))
                found = _Evaluation(self, {}, None, run=run).values(element.outputs, known)
            finally:
                run.leave()
            results = {
                self.graph.nodes[output].element.name: found.get(output)
                for output in element.outputs
                if output in self.graph.nodes
            }
            value: Feel = next(iter(results.values())) if len(results) == 1 else dict(results)
            return place.held(value, result_type, element.type_ref, element.line, run)

        function = Function(element.name, (Signature(parameters, len(parameters), call),))
        return lambda scope: function


class _Evaluation:
    """The evaluation of some elements over one set of inputs."""

    def __init__(
        self,
        model: Model,
        inputs: Mapping[str, object],
        at: datetime | None,
        *,
        run: Run | None = None,
    ) -> None:
        self._model = model
        self._graph = model.graph
        self._given = inputs
        self.run = run or DecisionRun(at)

    def asked(self, node: Node) -> Feel:
        """Return the value of a decision, or of a function called with the inputs by name."""
        if isinstance(node.element, InputElement):
            raise DecisionUnknown("expected a decision, got an input", name=node.element.name)
        value = self.values([node.reference], {}).get(node.reference)
        if isinstance(node.element, Decision) or not isinstance(value, Function):
            return value
        names = [parameter.name for parameter in value.signatures[0].parameters]
        arguments = {
            name: shaped_for(value, name, to_feel(self._given.get(name))) for name in names
        }
        journal_of(self.run).inputs.update(arguments)
        bound = bind(value, arguments, self.run)
        if bound is None:
            named = (("name", node.element.name),)
            problem = Problem("dmn_invocation", node.element.name, node.element.line, 0, named)
            journal_of(self.run).report(problem)
            return None
        return bound[0].call(bound[1], self.run)

    def values(
        self, targets: Iterable[Reference], known: Mapping[Reference, Feel]
    ) -> dict[Reference, Feel]:
        """Return `known` with the values of `targets` and of all they require."""
        values = dict(known)
        for node in self._model.order(tuple(targets), frozenset(known)):
            values[node.reference] = self._value(node, values)
        return values

    def each(
        self, nodes: Iterable[Node], circles: frozenset[Reference]
    ) -> dict[Reference, Outcome]:
        """Return the outcome of each element, after those it requires; budgets are not shared."""
        values: dict[Reference, Feel] = {}
        outcomes: dict[Reference, Outcome] = {}
        for node in nodes:
            run = self.run = DecisionRun(self.run.at)
            try:
                value = guarded(lambda scope, n=node: self._value(n, values), Scope({}, run))  # type: ignore[misc]  # the loop's own node
                check_size(value, DMN)
            except Rejected as exc:
                value = None
                run.journal.report(problem_of(exc, node.element.name, node.element.line))
            for required in (node.reference, *self._graph.requires(node)):
                if required in circles:
                    run.journal.report(_circle(self._graph.nodes[required]))
                for problem in outcomes[required].problems if required in outcomes else ():
                    run.journal.report(problem)
            values[node.reference] = value
            outcomes[node.reference] = _outcome(node, value, run.journal)
        return outcomes

    def _value(self, node: Node, values: Mapping[Reference, Feel]) -> Feel:
        self.run.spend()
        if isinstance(node.element, InputElement):
            return self._input(node)
        visible = self._graph.visible(self._graph.requires(node), values, node.definitions)
        return self._model.evaluator(node)(Scope(visible, self.run))

    def _input(self, node: Node) -> Feel:
        """Return an input; an imported one may stand under its imports' names."""
        element = node.element
        place, path, wanted = self._model.entrance(node)
        given = to_feel(_nested(self._given, path, element.name))
        value = place.held(shaped(given, wanted), wanted, element.type_ref, element.line, self.run)
        journal_of(self.run).inputs.setdefault(element.name, value)
        return value


def _circle(node: Node) -> Problem:
    name = node.element.name
    return Problem("dmn_cycle", name, node.element.line, 0, (("name", name),))


def _outcome(node: Node, value: Feel, journal: Journal) -> Outcome:
    return Outcome(
        name=node.element.name,
        value=value,
        problems=tuple(journal.problems),
        hints=tuple(journal.hints),
        traces=tuple(journal.traces),
        inputs=dict(journal.inputs),
        digest=node.definitions.digest,
    )


def _nested(given: Mapping[str, object], path: Sequence[str], name: str) -> object:
    """Return the input under its imports' names, all of them or the last ones, or by name alone."""
    for start in range(len(path)):
        source: object = given
        for prefix in path[start:]:
            source = source.get(prefix) if isinstance(source, Mapping) else None
        if isinstance(source, Mapping) and name in source:
            return source[name]
    return given.get(name)


def shaped_for(function: Function, name: str, value: Feel) -> Feel:
    """Return an argument from outside, shaped for the parameter `name`."""
    for parameter in function.signatures[0].parameters:
        if parameter.name == name:
            return shaped(value, parameter.type)
    return value


def load_model(contents: Sequence[bytes]) -> Model:
    """Return the model of DMN files, the first of which is the one asked.

    Raise `XmlRefused`, `DmnRefused` or `DecisionCycle`; errors of single expressions wait until
    their element is evaluated or linted.
    """
    return Model(Graph([read_definitions(content) for content in contents]))


def failed_outcome(node: Node, problem: Problem) -> Outcome:
    """Return the outcome of an evaluation that `problem` ended."""
    journal = Journal()
    journal.report(problem)
    return _outcome(node, None, journal)
