"""Read TOML tables key by key: unknown, missing and ill-typed keys are refused with their path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from workflows.errors import ProcedureRefused

T = TypeVar("T")


def refuse(where: str, reason: str, **parameters: str) -> ProcedureRefused:
    """Return the error for something at a path of the folder."""
    return ProcedureRefused(
        f"expected a sound procedure, got {reason} at {where}",
        hint=None,
        where=where,
        reason=reason,
        **parameters,
    )


class Table:
    """One table; `end` refuses the keys that nobody asked for."""

    def __init__(self, content: object, where: str) -> None:
        if not isinstance(content, dict):
            raise refuse(where, "not_a_table")
        self._content: dict[str, Any] = content
        self._asked: set[str] = set()
        self.where = where

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it is required and not empty."""
        value = self._typed(key, str, default)
        if not value and default is None:
            raise refuse(f"{self.where}.{key}", "empty")
        return value

    def flag(self, key: str) -> bool:
        """Return a boolean, false when absent."""
        return self._typed(key, bool, False)

    def day(self, key: str) -> date:
        """Return a date."""
        value = self._typed(key, date, None)
        if isinstance(value, datetime):
            raise refuse(f"{self.where}.{key}", "wrong_type")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty when absent."""
        value = self._typed(key, list, [])
        if not all(isinstance(item, str) and item for item in value):
            raise refuse(f"{self.where}.{key}", "wrong_type")
        return tuple(value)

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the allowed texts."""
        value = self.text(key, default)
        if value not in allowed:
            raise refuse(f"{self.where}.{key}", "not_allowed", allowed=", ".join(allowed))
        return value

    def bilingual(self, key: str) -> Mapping[str, str]:
        """Return a text in both languages, by language."""
        names = self.table(key)
        both = {"vi": names.text("vi"), "en": names.text("en")}
        names.end()
        return both

    def whatever(self, key: str) -> object:
        """Return a value of any type."""
        if key not in self._content:
            raise refuse(f"{self.where}.{key}", "missing")
        self._asked.add(key)
        return self._content[key]

    def table(self, key: str) -> Table:
        """Return a required table."""
        return Table(self.whatever(key), f"{self.where}.{key}".removeprefix("."))

    def has(self, key: str) -> bool:
        """Tell whether the key is there."""
        return key in self._content

    def tables(self, key: str) -> Mapping[str, Table]:
        """Return the tables inside an optional table, by name."""
        if key not in self._content:
            return {}
        outer = self.table(key)
        return {name: outer.table(name) for name in outer._content}

    def listed(self, key: str) -> tuple[Table, ...]:
        """Return an optional array of tables."""
        value = self._typed(key, list, [])
        where = f"{self.where}.{key}".removeprefix(".")
        return tuple(Table(item, f"{where}[{index}]") for index, item in enumerate(value))

    def texts(self, key: str) -> Mapping[str, str]:
        """Return an optional table of texts."""
        if key not in self._content:
            return {}
        inner = self.table(key)
        return {name: inner.text(name) for name in inner._content}

    def end(self) -> None:
        """Refuse the first key that was not asked for."""
        for key in self._content:
            if key not in self._asked:
                raise refuse(f"{self.where}.{key}".removeprefix("."), "unknown_key")

    def _typed(self, key: str, kind: type[T], default: T | None) -> T:
        if key not in self._content:
            if default is None:
                raise refuse(f"{self.where}.{key}".removeprefix("."), "missing")
            self._asked.add(key)
            return default
        self._asked.add(key)
        value = self._content[key]
        if not isinstance(value, kind):
            raise refuse(f"{self.where}.{key}".removeprefix("."), "wrong_type")
        return value
