"""Fields of a form as controls: what to show, what was typed, what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dossier.canonical import Json
from dossier.form import Field, FieldKind
from dossier.model import Document, TaskPage


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
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, Mapping):
        # The engine's codec marks dates and fractions: {"$date": "2026-12-14"}.
        inner = next(iter(value.values()), "") if len(value) == 1 else ""
        return inner if isinstance(inner, str) else ""
    return ""
