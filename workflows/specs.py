"""Our classes on SpiffWorkflow: the specs of a definition and the workflows that hold its tokens.

A token is a Spiff task. Spiff keeps the task tree, the states and the run cycle; which flow a token
takes, when a join fires and what an event does is ours, in the `Rules` handed to the workflow. No
future is predicted and no case value is ever put into a task, so a tree holds live tokens only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final, Protocol, TypeAlias

from SpiffWorkflow.bpmn.script_engine.python_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from workflows.errors import DefinitionRefused
from workflows.expressions import Value
from workflows.graph import Node, Process

# Spiff's log records carry task contents when its level is below INFO (engine.md, W16).
for _name in ("spiff.task", "spiff.workflow"):
    logging.getLogger(_name).setLevel(logging.WARNING)

Token: TypeAlias = Task  # a Spiff task, seen as the token that it is


class _SilentTask(Task):  # type: ignore[misc]  # SpiffWorkflow ships no types
    """A task that neither reads the wall clock nor builds a log record at each change of state."""

    def _set_state(self, value: int) -> None:
        self._state = value


ROOT: Final = "Start"  # Spiff's own name of the first spec of a process
_PREFIX: Final = "#"  # keeps the author's ids apart from Spiff's `Start`, `End` and `Root`


class Rules(Protocol):
    """What the engine decides for Spiff, token by token."""

    def is_ready(self, token: Token) -> bool:
        """Tell whether an arriving token may run now."""

    def run(self, token: Token) -> bool | None:
        """Do the node's work: True when done, None when it waits for a fact."""

    def leave(self, token: Token) -> None:
        """Put the tokens that follow a finished one."""

    def made_ready(self, token: Token) -> None:
        """Note that a token can run."""


class NodeSpec(BpmnTaskSpec):  # type: ignore[misc]  # SpiffWorkflow ships no types
    """One flow node; its hooks ask the rules of the workflow that runs."""

    def __init__(self, process_spec: BpmnProcessSpec, node: Node) -> None:
        super().__init__(process_spec, _PREFIX + node.id, lane=node.lane)
        self.node = node

    def test(self) -> None:
        """Skip Spiff's check for an input: BPMN lets a node start a scope without one."""

    def _predict_hook(self, my_task: Token) -> None:
        """Predict nothing: a future that may never come is no state."""

    def _update_hook(self, my_task: Token) -> bool:
        return my_task.workflow.top_workflow.rules.is_ready(my_task)  # type: ignore[no-any-return]  # Spiff has no types

    def _on_ready_hook(self, my_task: Token) -> None:
        my_task.workflow.top_workflow.rules.made_ready(my_task)

    def _run_hook(self, my_task: Token) -> bool | None:
        return my_task.workflow.top_workflow.rules.run(my_task)  # type: ignore[no-any-return]  # Spiff has no types

    def _on_complete_hook(self, my_task: Token) -> None:
        my_task.workflow.top_workflow.rules.leave(my_task)


class RefusingEnvironment(BasePythonScriptEngineEnvironment):  # type: ignore[misc]  # Spiff has no types
    """Where Spiff would run Python: nothing of ours gets here, and whatever does is refused."""

    def evaluate(self, expression: str, context: object, external_context: object = None) -> object:
        """Refuse to evaluate."""
        raise _no_python(expression)

    def execute(self, script: str, context: object, external_context: object = None) -> bool:
        """Refuse to execute."""
        raise _no_python(script)


class RefusingEngine(PythonScriptEngine):  # type: ignore[misc]  # Spiff has no types
    """Spiff's script engine with every door closed (engine.md §6)."""

    def __init__(self) -> None:
        super().__init__(environment=RefusingEnvironment())

    def validate(self, expression: str) -> None:
        """Refuse: Spiff would parse Python here."""
        raise _no_python(expression)

    def evaluate(self, task: Token, expression: str, external_context: object = None) -> object:
        """Refuse to evaluate."""
        raise _no_python(expression)

    def execute(self, task: Token, script: str, external_context: object = None) -> bool:
        """Refuse to execute."""
        raise _no_python(script)

    def call_service(self, *_args: object, **_kwargs: object) -> object:
        """Refuse: services are called by the host."""
        raise _no_python("service")


def _no_python(text: str) -> DefinitionRefused:
    return DefinitionRefused(
        "expected no Python to reach the engine, got some", rule="python", expression=text[:60]
    )


_ENGINE: Final = RefusingEngine()


class TokenWorkflow(BpmnWorkflow):  # type: ignore[misc]  # Spiff has no types
    """One instance: the tokens of the process itself and an index of those of every scope."""

    def __init__(self, specs: Mapping[str, BpmnProcessSpec], process: str, rules: Rules) -> None:
        self.rules = rules
        self.index: dict[int, Token] = {}
        super().__init__(specs[process], dict(specs), _ENGINE, deserializing=True)
        self.scope = process
        self.log: list[list[object]] = []  # what can be compensated, in the order of completion
        self.locals: dict[str, Value] = {}  # names of a call's own; the process has none
        add_root(self)

    def get_task_from_id(self, task_id: int) -> Token | None:
        """Return the token of any scope by its number."""
        return self.index.get(task_id)

    def _task_completed_notify(self, task: Token) -> None:
        """Keep Spiff from asking every waiting task again: tokens are delivered to by id."""


class TokenScope(BpmnSubWorkflow):  # type: ignore[misc]  # Spiff has no types
    """One run of a sub-process, owned by the token that entered it."""

    def __init__(self, top: TokenWorkflow, scope: str, owner: Token) -> None:
        super().__init__(top.subprocess_specs[scope], owner.id, top, deserializing=True)
        self.scope = scope
        self.log: list[list[object]] = []
        self.locals: dict[str, Value] = {}
        top.subprocesses[owner.id] = self
        add_root(self)

    def _task_completed_notify(self, task: Token) -> None:
        """See TokenWorkflow."""


Scope: TypeAlias = "TokenWorkflow | TokenScope"


def add_root(scope: Scope) -> None:
    """Give a scope its finished root, the parent of all its tokens."""
    scope.task_tree = _SilentTask(scope, scope.spec.start, state=TaskState.COMPLETED, id=0)


def add_token(scope: Scope, node_id: str, number: int, parent: Token | None = None) -> Token:
    """Put a new token before a node; it is FUTURE until `task_spec._update` lets it arrive."""
    spec = scope.spec.task_specs[_PREFIX + node_id]
    token = _SilentTask(scope, spec, parent or scope.task_tree, state=TaskState.FUTURE, id=number)
    scope.top_workflow.index[number] = token
    return token


def build_specs(process: Process) -> dict[str, BpmnProcessSpec]:
    """Return one Spiff spec per scope of `process`, keyed by the scope's id."""
    return {scope: _build_scope(process, scope) for scope in process.scopes}


def _build_scope(process: Process, scope: str) -> BpmnProcessSpec:
    spec = BpmnProcessSpec(name=scope)
    nodes: Iterable[Node] = process.inside(scope)
    made = {node.id: NodeSpec(spec, node) for node in nodes}
    for flow in process.flows.values():
        if flow.source in made and flow.target in made:
            made[flow.source].connect(made[flow.target])
    return spec
