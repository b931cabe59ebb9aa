"""Read the `lt:` extension elements of a BPMN element (docs/reference/bpmn.md).

Unknown names are errors: a typing error must not silently switch off a signature or a register.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from lxml import etree

from workflows.findings import Severity
from workflows.graph import NO_EXTENSION, Assign, Extension, Silence
from workflows.names import BPMN, LT, local_name


class Report(Protocol):
    """Records a finding about an element."""

    def __call__(
        self, rule: str, element: etree._Element, severity: Severity, **parameters: str | int
    ) -> None:
        """Record it."""


_SILENCE: Final = ("escalate", "consent", "refuse")
_SIGN: Final = ("approved", "reviewed")
_BOOKS: Final = ("incoming", "outgoing")

# element -> (required attributes, optional attributes)
SHAPES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "role": (("name",), ()),
    "message": (("type",), ("with",)),
    "assign": ((), ("role", "unit", "users")),
    "form": (("name",), ()),
    "due": (("after",), ()),
    "sign": (("role",), ("documents",)),
    "register": (("book",), ()),
    "documents": ((), ("in", "out")),
    "status": (("value",), ()),
    "silence": (("policy",), ("citation", "unconfirmed", "after", "result", "question")),
    "pauseClock": (("basis",), ()),
    "service": (("operation",), ()),
    "input": (("name", "value"), ()),
    "output": (("name", "value"), ()),
    "decision": (("name",), ("result",)),
    "call": (("version",), ()),
}
_CHOICES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("sign", "role"): _SIGN,
    ("register", "book"): _BOOKS,
    ("silence", "policy"): _SILENCE,
    ("silence", "unconfirmed"): ("true", "false"),
    ("status", "value"): tuple(str(number) for number in range(1, 11)),
}
_ATTRIBUTES: Final = ("role", "message")


def read_extension(element: etree._Element, report: Report) -> Extension:
    """Return the `lt:` values of `element`; report everything that is not in the table."""
    extension = NO_EXTENSION
    for key, value in element.attrib.items():
        if not str(key).startswith(LT):
            continue
        name = str(key).removeprefix(LT)
        if name not in _ATTRIBUTES:
            report("unknown_extension", element, Severity.ERROR, extension=name)
        elif name == "message":
            extension = replace(extension, message_type=str(value))
    holder = element.find(BPMN + "extensionElements")
    for child in holder.iterchildren("*") if holder is not None else ():
        if child.tag.startswith(LT):
            extension = _read_child(element, child, extension, report)
    return extension


def _read_child(
    element: etree._Element, child: etree._Element, extension: Extension, report: Report
) -> Extension:
    name = local_name(child)
    if name not in SHAPES:
        report("unknown_extension", element, Severity.ERROR, extension=name)
        return extension
    required, optional = SHAPES[name]
    values = {str(key): str(value).strip() for key, value in child.attrib.items()}
    for key in values:
        if key not in required and key not in optional:
            report("unknown_extension", element, Severity.ERROR, extension=f"{name}/@{key}")
    missing = [key for key in required if not values.get(key)]
    if missing:
        report("extension_incomplete", element, Severity.ERROR, extension=f"{name}/@{missing[0]}")
        return extension
    for key, value in values.items():
        allowed = _CHOICES.get((name, key))
        if allowed is not None and value not in allowed:
            report(
                "extension_value",
                element,
                Severity.ERROR,
                extension=f"{name}/@{key}",
                value=value,
                allowed=", ".join(allowed),
            )
            return extension
    if name == "silence" and values["policy"] != "escalate" and not values.get("citation"):
        report("silence_without_citation", element, Severity.ERROR)
    return _SETTERS[name](extension, values)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _set_assign(extension: Extension, values: Mapping[str, str]) -> Extension:
    assign = Assign(
        role=values.get("role") or None,
        unit=values.get("unit") or None,
        users=_names(values.get("users")),
    )
    return replace(extension, assign=assign)


def _set_sign(extension: Extension, values: Mapping[str, str]) -> Extension:
    return replace(extension, sign=values["role"], sign_documents=_names(values.get("documents")))


def _set_documents(extension: Extension, values: Mapping[str, str]) -> Extension:
    return replace(
        extension,
        documents_in=_names(values.get("in")),
        documents_out=_names(values.get("out")),
    )


def _set_silence(extension: Extension, values: Mapping[str, str]) -> Extension:
    silence = Silence(
        policy=values["policy"],
        citation=values.get("citation") or None,
        confirmed=values.get("unconfirmed") != "true",
        after=values.get("after") or None,
        result=values.get("result") or None,
        question=values.get("question") or None,
    )
    return replace(extension, silence=silence)


def _set_decision(extension: Extension, values: Mapping[str, str]) -> Extension:
    return replace(extension, decision=values["name"], result=values.get("result") or None)


_SETTERS: Final[Mapping[str, Callable[[Extension, Mapping[str, str]], Extension]]] = {
    "role": lambda extension, values: extension,  # of a participant: read there
    "message": lambda extension, values: replace(
        extension, message_type=values["type"], partner=values.get("with") or None
    ),
    "assign": _set_assign,
    "form": lambda extension, values: replace(extension, form=values["name"]),
    "due": lambda extension, values: replace(extension, due=values["after"]),
    "sign": _set_sign,
    "register": lambda extension, values: replace(extension, register=values["book"]),
    "documents": _set_documents,
    "status": lambda extension, values: replace(extension, status=int(values["value"])),
    "silence": _set_silence,
    "pauseClock": lambda extension, values: replace(extension, pause=values["basis"]),
    "service": lambda extension, values: replace(extension, operation=values["operation"]),
    "input": lambda extension, values: replace(
        extension, inputs=(*extension.inputs, (values["name"], values["value"]))
    ),
    "output": lambda extension, values: replace(
        extension, outputs=(*extension.outputs, (values["name"], values["value"]))
    ),
    "decision": _set_decision,
    "call": lambda extension, values: replace(extension, version=values["version"]),
}
