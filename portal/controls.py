"""Fields of a form as controls: what to show, what was typed, what was wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dossier.canonical import Json
from dossier.form import Field, FieldKind
from dossier.model import Document, TaskPage

_ISO_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """One field as the page shows it."""

    field: Field
    value: str  # as it stands in the control
    shown: str  # a document's name, where the value is its id
    fault: str  # sentence, or empty

    @property
    def id(self) -> str:
        """Identifier of the control in the page."""
        return f"field-{self.field.name}"

    @property
    def template(self) -> str:
        """Template of the control's kind."""
        return f"portal/controls/{self.field.kind.value}.html"

    @property
    def described_by(self) -> str:
        """Identifiers of what explains the control, for `aria-describedby`."""
        parts = []
        if self.field.help is not None:
            parts.append(f"{self.id}-help")
        if self.fault:
            parts.append(f"{self.id}-fault")
        return " ".join(parts)


def controls(
    page: TaskPage, *, given: Mapping[str, str] | None, faults: Mapping[str, str]
) -> list[Control]:
    """Return a control for each field: what was typed before, else what the dossier knows."""
    named = {str(one.id): one for one in page.documents}
    return [_control(field, page.values, given, faults, named) for field in page.fields]


def _control(
    field: Field,
    values: Mapping[str, Json],
    given: Mapping[str, str] | None,
    faults: Mapping[str, str],
    named: Mapping[str, Document],
) -> Control:
    value = _text(field, values.get(field.name)) if given is None else given.get(field.name, "")
    document = named.get(value) if field.kind is FieldKind.DOCUMENT else None
    return Control(
        field=field,
        value=value if field.kind is not FieldKind.DOCUMENT or document else "",
        shown=document.name if document else "",
        fault=faults.get(field.name, ""),
    )


def _text(field: Field, value: Json) -> str:
    """Return a case value as a control writes it; values of other shapes are left out."""
    if isinstance(value, bool):
        return "on" if value and field.kind is FieldKind.BOOLEAN else ""
    text = plain(value)
    return day_first(text) if field.kind is FieldKind.DATE else text


def plain(value: Json) -> str:
    """Return a case value as text: `true` and lists stay as JSON writes them.

    The engine's codec marks what JSON has no type for, such as {"$date": "2026-12-14"}.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        name, inner = next(iter(value.items()))
        if name.startswith("$") and isinstance(inner, str):
            return inner
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def day_first(text: str) -> str:
    """Return an ISO date as people write it; anything else as it is."""
    found = _ISO_DATE.fullmatch(text)
    return f"{found[3]}/{found[2]}/{found[1]}" if found else text
