"""Where an expression of a model stands: its element, its names and types, its problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from dossier.errors import Rejected
from workflows.dmn.items import Types
from workflows.dmn.journal import Problem, journal_of, problem_of
from workflows.dmn.model import Text
from workflows.expressions.conversion import coerce
from workflows.expressions.expression import (
    Environment,
    compile_feel,
    compile_tests,
    library_of,
)
from workflows.expressions.runtime import Evaluator, Feel, Run, Scope
from workflows.expressions.types import ANY, Type
from workflows.expressions.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The surroundings in which expressions of one element are compiled.

    Problems that compiling finds are appended to `found`; evaluating such a part reports them
    again and gives null, so that the rest of the model stays usable.
    """

    element: str
    types: Types
    names: frozenset[str]
    vocabulary: Vocabulary
    in_filter: bool = False  # an unknown name may be an entry of the items
    found: list[Problem] = field(default_factory=list)

    def seeing(self, names: Iterable[str]) -> Place:
        """Return the place where `names` are seen too."""
        return replace(self, names=self.names | frozenset(names))

    def expression(self, text: Text) -> Evaluator:
        """Return the evaluator of an expression; empty text is null without a problem."""
        if not text.text.strip():
            return lambda scope: None
        compiled = self._compiled(text, compile_feel)
        return self.typed(compiled, text.type_ref, text.line)

    def tests(self, text: Text) -> Evaluator:
        """Return the evaluator of unary tests; empty text accepts everything."""
        if text.text.strip() in ("", "-"):
            return lambda scope: True
        return self._compiled(text, compile_tests)

    def type_of(self, type_ref: str, line: int) -> Type:
        """Return the type of a typeRef; an unknown one is a problem and takes everything."""
        known = self.types.of(type_ref)
        if known is None:
            self.found.append(
                Problem("dmn_type_unknown", self.element, line, 0, (("name", type_ref),))
            )
        return ANY if known is None else known

    def typed(self, evaluator: Evaluator, type_ref: str, line: int) -> Evaluator:
        """Return `evaluator` with its result held to the type; what does not conform is null."""
        wanted = self.type_of(type_ref, line)
        if wanted is ANY:
            return evaluator

        def held(scope: Scope) -> Feel:
            return self.held(evaluator(scope), wanted, type_ref, line, scope.run)

        return held

    def held(self, value: Feel, wanted: Type, type_ref: str, line: int, run: Run) -> Feel:
        """Return `value` as `wanted`, or None with a problem."""
        result = coerce(value, wanted, run)
        if result is None and value is not None:
            journal_of(run).report(
                Problem("dmn_type_mismatch", self.element, line, 0, (("name", type_ref),))
            )
        return result

    def _compiled(
        self,
        text: Text,
        compile_text: Callable[[str, Environment], tuple[Evaluator, frozenset[str]]],
    ) -> Evaluator:
        if text.language:
            return self._foreign(text)
        environment = Environment(
            names=self.names, vocabulary=self.vocabulary, types=self.types.named
        )
        try:
            evaluator, free = compile_text(text.text, environment)
        except Rejected as exc:
            problem = problem_of(exc, self.element, text.line)
            self.found.append(problem)
            return lambda scope: journal_of(scope.run).report(problem)
        known = self.names | library_of(environment.profile).keys()  # a function may be a value
        unknown = () if self.in_filter else sorted(free - known)
        self.found.extend(
            Problem("feel_unknown_name", self.element, text.line, 0, (("name", name),))
            for name in unknown
        )
        return self._noted(evaluator, text)

    def _foreign(self, text: Text) -> Evaluator:
        parameters = (("name", text.language),)
        problem = Problem("dmn_language_unknown", self.element, text.line, 0, parameters)
        self.found.append(problem)
        return lambda scope: journal_of(scope.run).report(problem)

    def _noted(self, evaluator: Evaluator, text: Text) -> Evaluator:
        """Return `evaluator` with the notes of its nulls placed in the file."""

        def noted(scope: Scope) -> Feel:
            value = evaluator(scope)
            if scope.run.notes:  # those of inner expressions are placed already
                self._place_notes(scope.run, text)
            return value

        return noted

    def _place_notes(self, run: Run, text: Text) -> None:
        for note in run.notes:
            line = text.line + note.line - 1
            problem = Problem(note.code, self.element, line, note.column, note.parameters)
            journal_of(run).hint(problem)
        run.notes = ()
