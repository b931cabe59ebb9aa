"""The library of FEEL: one table of functions, put together from its rooms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workflows.expressions.builtins import (
    general,
    lists,
    numeric,
    ranges,
    statistics,
    temporal,
    text,
)
from workflows.expressions.builtins.signature import nullable, plain
from workflows.expressions.runtime import Function
from workflows.expressions.vocabulary import Vocabulary

__all__ = ["LIBRARY", "LIBRARY_WORDS", "MODEL_LIBRARY", "MODEL_WORDS"]

LIBRARY: Final[Mapping[str, Function]] = {
    **general.FUNCTIONS,
    **text.FUNCTIONS,
    **numeric.FUNCTIONS,
    **lists.FUNCTIONS,
    **statistics.FUNCTIONS,
    **ranges.FUNCTIONS,
    **temporal.FUNCTIONS,
}

# `is defined` asks for a name, not for its value, so the compiler answers it; see `calls`.
_IS_DEFINED: Final = Function("is defined", (plain(lambda value: None, nullable("name")),))
_HIGHER_ORDER: Final = frozenset({"sort", "list replace"})

MODEL_LIBRARY: Final[Mapping[str, Function]] = {
    **{name: function for name, function in LIBRARY.items() if name not in _HIGHER_ORDER},
    "is defined": _IS_DEFINED,
}

LIBRARY_WORDS: Final = Vocabulary(LIBRARY)
MODEL_WORDS: Final = Vocabulary(MODEL_LIBRARY)
