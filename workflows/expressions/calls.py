"""Invocations: choosing a signature, converting the arguments, and functions written in FEEL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from workflows.expressions.compiling import Compiling
from workflows.expressions.conversion import coerce
from workflows.expressions.runtime import (
    MISSING,
    Evaluator,
    Feel,
    Function,
    Parameter,
    Run,
    Scope,
    Signature,
)
from workflows.expressions.tree import Call, FunctionLiteral, Name, Path, TypeNode
from workflows.expressions.types import ANY, Type, resolve


def compile_call(compiler: Compiling, node: Call) -> Evaluator:
    """Return the evaluator of an invocation; what cannot be called gives null."""
    if isinstance(node.function, Name) and node.function.name == "is defined":
        return _is_defined(compiler, node)
    target = _target(compiler, node)
    arguments = [compiler.compile(argument) for argument in node.arguments]
    names, source, at = node.names, compiler.source, node.at

    def called(scope: Scope) -> Feel:
        scope.run.spend()
        function = target(scope)
        values = [argument(scope) for argument in arguments]
        if not isinstance(function, Function):
            scope.run.note("feel_not_a_function", source, at)
            return None
        bound = bind(
            function, dict(zip(names, values, strict=True)) if names else values, scope.run
        )
        if bound is None:
            scope.run.note("feel_wrong_arguments", source, at, name=function.name)
            return None
        signature, ready = bound
        if has_null(signature, ready):
            return None
        return charged(signature.call(ready, scope.run), scope.run)

    return called


def invoke(function: Function, arguments: list[Feel], run: Run) -> Feel:
    """Return the value of `function` for arguments by position, or None when they do not fit."""
    run.spend()
    bound = bind(function, arguments, run)
    if bound is None or has_null(bound[0], bound[1]):
        return None
    return charged(bound[0].call(bound[1], run), run)


def charged(value: Feel, run: Run) -> Feel:
    """Return the result of a call after paying for its size: most functions copy their input."""
    if isinstance(value, str):
        run.checked_text(len(value))
    elif isinstance(value, list | Mapping):
        run.checked_list(len(value))
    return value


def bind(
    function: Function, given: Sequence[Feel] | Mapping[str, Feel], run: Run
) -> tuple[Signature, list[Feel]] | None:
    """Return the first signature that `given` fits, with the converted arguments."""
    for signature in function.signatures:
        placed = _by_name(signature, given) if isinstance(given, Mapping) else list(given)
        ready = None if placed is None else _converted(signature, placed, run)
        if ready is not None:
            return signature, ready
    return None


def _by_name(signature: Signature, given: Mapping[str, Feel]) -> list[Feel] | None:
    names = [parameter.name for parameter in signature.parameters]
    if not set(given) <= set(names):
        return None
    if any(name not in given for name in names[: signature.required]):
        return None
    last = max(names.index(name) for name in given) if given else -1
    return [given.get(name) for name in names[: last + 1]]


def _converted(signature: Signature, values: list[Feel], run: Run) -> list[Feel] | None:
    parameters = signature.parameters
    if len(values) < signature.required:
        return None
    if len(values) > len(parameters):
        if not signature.variadic:
            return None
        parameters = (*parameters, *(parameters[-1],) * (len(values) - len(parameters)))
    ready: list[Feel] = []
    for parameter, value in zip(parameters, values, strict=False):
        converted = value if parameter.type is ANY else coerce(value, parameter.type, run)
        if converted is None and value is not None:
            return None
        ready.append(converted)
    return ready


def has_null(signature: Signature, values: list[Feel]) -> bool:
    """Say whether a parameter that takes no null has got one."""
    last = signature.parameters[-1] if signature.parameters else None
    for index, value in enumerate(values):
        if value is None:
            known = index < len(signature.parameters)
            parameter = signature.parameters[index] if known else last
            if parameter is not None and not parameter.nullable:
                return True
    return False


def _target(compiler: Compiling, node: Call) -> Callable[[Scope], Feel]:
    if isinstance(node.function, Name) and node.function.builtin:
        function = compiler.library[node.function.name]
        return lambda scope: function
    target = compiler.compile(node.function)
    known = compiler.library.get(node.function.name) if isinstance(node.function, Name) else None
    if known is None:
        return target

    def shadowed(scope: Scope) -> Feel:
        """Return a function of this name, be it the library's behind a variable of another type."""
        value = target(scope)
        return value if isinstance(value, Function) else known

    return shadowed


def _is_defined(compiler: Compiling, node: Call) -> Evaluator:
    """Return the evaluator of `is defined(name)` and `is defined(path.to.entry)`."""
    argument = node.arguments[0] if len(node.arguments) == 1 else None
    if isinstance(argument, Name):
        name = argument.name
        return lambda scope: scope.find(name) is not MISSING
    if isinstance(argument, Path):
        source, entry = compiler.compile(argument.source), argument.name

        def defined(scope: Scope) -> Feel:
            value = source(scope)
            return isinstance(value, Mapping) and entry in value

        return defined
    if argument is None:
        return lambda scope: None
    evaluator = compiler.compile(argument)
    return lambda scope: evaluator(scope) is not None


def compile_function(compiler: Compiling, node: FunctionLiteral) -> Evaluator:
    """Return the evaluator that makes a function over the scope it stands in."""
    body = compiler.compile(node.body)
    parameters = tuple(
        Parameter(name, _parameter_type(compiler, written), nullable=True)
        for name, written in node.parameters
    )

    def made(scope: Scope) -> Feel:
        if node.external:
            return external_function(parameters)
        return closure("function", parameters, body, scope)

    return made


def closure(
    name: str, parameters: tuple[Parameter, ...], body: Evaluator, scope: Scope
) -> Function:
    """Return a function that evaluates `body` with its parameters over `scope`."""
    names = [parameter.name for parameter in parameters]

    def call(values: list[Feel], run: Run) -> Feel:
        run.enter()
        try:
            return body(Scope(dict(zip(names, values, strict=True)), run, scope))
        finally:
            run.leave()

    return Function(name, (Signature(parameters, len(parameters), call),))


def external_function(parameters: tuple[Parameter, ...]) -> Function:
    """Return the stand-in of a function in Java or PMML: it is never run and gives null."""

    def call(values: list[Feel], run: Run) -> Feel:
        run.note("feel_external_function", "", 0)
        return None

    return Function("external", (Signature(parameters, len(parameters), call),))


def _parameter_type(compiler: Compiling, written: TypeNode | None) -> Type:
    return ANY if written is None else resolve(written, compiler.types) or ANY
