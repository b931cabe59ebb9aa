"""How the library declares a function: parameters with names and types, and a Python function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from workflows.expressions.runtime import Feel, Function, Parameter, Run, Signature
from workflows.expressions.types import ANY, NAMED, ListOf, Type

NUMBER: Final = NAMED["number"]
STRING: Final = NAMED["string"]
BOOLEAN: Final = NAMED["boolean"]
CONTEXT: Final = NAMED["context"]
RANGE: Final = NAMED["range"]
FUNCTION: Final = NAMED["function"]
LIST: Final = ListOf(ANY)


def parameter(name: str, kind: Type = ANY) -> Parameter:
    """Return a parameter for which null makes the call null."""
    return Parameter(name, kind)


def nullable(name: str, kind: Type = ANY) -> Parameter:
    """Return a parameter that takes null."""
    return Parameter(name, kind, nullable=True)


def plain(
    call: Callable[..., Feel], *parameters: Parameter, optional: int = 0, variadic: bool = False
) -> Signature:
    """Return the signature of a Python function of the argument values."""
    return Signature(
        parameters, len(parameters) - optional, lambda values, run: call(*values), variadic
    )


def budgeted(
    call: Callable[..., Feel], *parameters: Parameter, optional: int = 0, variadic: bool = False
) -> Signature:
    """Return the signature of a Python function that takes the `Run` before the values."""

    def called(values: list[Feel], run: Run) -> Feel:
        return call(run, *values)

    return Signature(parameters, len(parameters) - optional, called, variadic)


def table(entries: dict[str, tuple[Signature, ...]]) -> dict[str, Function]:
    """Return the functions of a room of the library by their names."""
    return {name: Function(name, signatures) for name, signatures in entries.items()}
