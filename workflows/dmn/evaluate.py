"""Evaluating a model: what is asked for, after everything it requires (DMN 1.5, 10.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.dmn.boxed import compile_box, compile_function
from workflows.dmn.errors import DecisionUnknown
from workflows.dmn.graph import Graph, Node
from workflows.dmn.inputs import shaped
from workflows.dmn.items import component_names
from workflows.dmn.journal import DecisionRun, Problem, TableTrace, journal_of
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
from workflows.expressions.types import FunctionOf
from workflows.expressions.values import to_feel


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The value of one decision and how it came about."""

    name: str
    value: Feel
    problems: tuple[Problem, ...]  # with any of these the value must not be used
    hints: tuple[Problem, ...]  # nulls that FEEL gives without calling them errors
    traces: tuple[TableTrace, ...]
    digest: str  # of the file that holds the decision


class Model:
    """The files of one call, compiled element by element when first asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._compiled: dict[Reference, Evaluator] = {}
        self._problems: dict[Reference, tuple[Problem, ...]] = {}
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
        run = DecisionRun(at)
        given = {key: to_feel(value) for key, value in inputs.items()}
        value = guarded(lambda scope: self._asked(node, given, run), Scope({}, run))
        check_size(value, DMN)
        journal = run.journal
        return Outcome(
            name=node.element.name,
            value=value,
            problems=tuple(journal.problems),
            hints=tuple(journal.hints),
            traces=tuple(journal.traces),
            digest=node.definitions.digest,
        )

    def problems(self, node: Node) -> tuple[Problem, ...]:
        """Return what compiling the element finds."""
        self._evaluator(node)
        return self._problems.get(node.reference, ())

    def _asked(self, node: Node, given: Mapping[str, Feel], run: Run) -> Feel:
        if isinstance(node.element, InputElement):
            raise DecisionUnknown("expected a decision, got an input", name=node.element.name)
        known = self._inputs(given, run)
        if isinstance(node.element, Decision):
            return self._values([node.reference], known, run).get(node.reference)
        function = self._values([node.reference], known, run).get(node.reference)
        if not isinstance(function, Function):
            return None
        names = [parameter.name for parameter in function.signatures[0].parameters]
        arguments = {name: shaped_for(function, name, given.get(name)) for name in names}
        bound = bind(function, arguments, run)
        if bound is None:
            problem = Problem("dmn_invocation", node.element.name, node.element.line)
            journal_of(run).report(replace(problem, parameters=(("name", node.element.name),)))
            return None
        return bound[0].call(bound[1], run)

    def _inputs(self, given: Mapping[str, Feel], run: Run) -> dict[Reference, Feel]:
        """Return the inputs by reference; imported ones may stand under their imports' names."""
        known: dict[Reference, Feel] = {}
        for node in self.graph.nodes.values():
            if not isinstance(node.element, InputElement):
                continue
            path = self.graph.import_path(node.definitions)
            found = _nested(given, path, node.element.name)
            known[node.reference] = self._input(node, found, run)
        return known

    def _input(self, node: Node, value: Feel, run: Run) -> Feel:
        element = node.element
        place = self._place(node, ())
        wanted = place.type_of(element.type_ref, element.line)
        return place.held(shaped(value, wanted), wanted, element.type_ref, element.line, run)

    def _values(
        self, targets: Iterable[Reference], known: Mapping[Reference, Feel], run: Run
    ) -> dict[Reference, Feel]:
        """Return `known` with the values of `targets` and of all they require."""
        values = dict(known)
        for node in self.graph.order(targets, known):
            run.spend()
            visible = self.graph.visible(self.graph.requires(node), values, node.definitions)
            values[node.reference] = self._evaluator(node)(Scope(visible, run))
        return values

    def _evaluator(self, node: Node) -> Evaluator:
        known = self._compiled.get(node.reference)
        if known is None:
            place = self._place(node, self.graph.requires(node))
            known = self._compile(node, place)
            self._compiled[node.reference] = known
            self._problems[node.reference] = tuple(place.found)
        return known

    def _place(self, node: Node, requires: Iterable[Reference]) -> Place:
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
        return compile_function(body, place, element.name)

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
                self._place(node, ()).type_of(node.element.type_ref, node.element.line),
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
                found = self._values(element.outputs, known, run)
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


def _nested(given: Mapping[str, Feel], path: Sequence[str], name: str) -> Feel:
    """Return the input under its imports' names, all of them or the last ones, or by name alone."""
    for start in range(len(path)):
        source: Feel = given
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
    return Outcome(
        name=node.element.name,
        value=None,
        problems=(problem,),
        hints=(),
        traces=(),
        digest=node.definitions.digest,
    )
