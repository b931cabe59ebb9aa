"""Turn a BPMN file of another modeller into the files of a procedure folder to work on.

Roles, message types and form names are written into the model, because they cross agencies and
must not depend on a label; everything else of the author's file stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

from lxml import etree

from dossier.canonical import Json
from dossier.model import Role
from workflows.compiling import texts_of
from workflows.definition import Deployment, deploy, refusal
from workflows.encoding import parse_model
from workflows.findings import Severity
from workflows.graph import Node
from workflows.names import BPMN, LT
from workflows.package import DECLARATION, MODEL
from workflows.review import Remark
from workflows.vendorforms import drawn_forms, form_name, slug

_PARAMETER: Final = re.compile(r"\bparam\.([A-Za-z_]\w*)")
_UNKNOWN: Final = "Ghi căn cứ pháp lý"


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption:
    """A model made into a folder."""

    files: Mapping[str, bytes]
    assumed: tuple[Remark, ...]  # what was written into the model without the author's word


def adopt(source: bytes, *, code: str, effective: date, beside: Mapping[str, bytes]) -> Adoption:
    """Return a folder for the model; raise `DefinitionRefused` for what is no model.

    `beside` are the form files of its vendor by name; their fields are taken over.

    A model that cannot run yet becomes a folder to work on too; its lint says what is left.
    What only a person can know (legal basis, binding of agencies, fields of forms, values of
    messages, English names) is filled with something that loads and is marked unconfirmed.
    """
    first = _readable(source)
    root = _prefixed(parse_model(source))
    _write_roles(root)
    _write_messages(root, first)
    _write_forms(root)
    assumed = tuple(_write_people(root, first))
    model = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    deployment = _readable(model)
    nodes = _nodes(deployment)
    files = {MODEL: model, DECLARATION: _declaration(deployment, nodes, code, effective).encode()}
    known = drawn_forms(root, beside)
    for form in sorted({node.extension.form for node in nodes if node.extension.form}):
        files[f"forms/{form}.json"] = _form(known.get(form) or _one_field(form))
    return Adoption(files=files, assumed=assumed)


def _readable(source: bytes) -> Deployment:
    deployment = deploy(source)
    if deployment.model is None:
        raise refusal(deployment.findings)
    return deployment


def _nodes(deployment: Deployment) -> list[Node]:
    processes = deployment.model.processes.values() if deployment.model else ()
    return [node for process in processes for node in process.nodes.values()]


# --- the model --------------------------------------------------------------------------------


def _prefixed(root: etree._Element) -> etree._Element:
    """Return the root with the prefix `lt` declared once, so that people can read what is added."""
    namespace = LT.strip("{}")
    if namespace in root.nsmap.values() or "lt" in root.nsmap:
        return root
    prefixes = cast("dict[str, str]", root.nsmap)  # None is the prefix of the default namespace
    named = etree.Element(root.tag, nsmap=prefixes | {"lt": namespace})
    for name, value in root.attrib.items():
        named.set(name, value)
    named.text = root.text
    named.extend(list(root))
    return named


def _write_roles(root: etree._Element) -> None:
    taken: set[str] = set()
    for participant in root.iter(BPMN + "participant"):
        if _says(participant, "role"):
            continue
        role = slug(participant.get("name") or "", taken=taken, otherwise="pool")
        taken.add(role)
        participant.set(LT + "role", role)


def _write_messages(root: etree._Element, deployment: Deployment) -> None:
    types = {flow.id: flow.message_type for flow in deployment.collaboration.flows}
    taken: set[str] = set()
    for flow in root.iter(BPMN + "messageFlow"):
        if _says(flow, "message"):
            continue
        known = types.get(str(flow.get("id")), "")
        message = slug(known, taken=taken, otherwise="message")
        taken.add(message)
        flow.set(LT + "message", message)


def _says(element: etree._Element, name: str) -> bool:
    """Tell whether the author wrote our attribute or element already."""
    return element.get(LT + name) is not None or element.find(f".//{LT}{name}") is not None


def _write_forms(root: etree._Element) -> None:
    for task in root.iter(BPMN + "userTask"):
        name = form_name(task)
        if name is None or _says(task, "form"):
            continue
        held = _extensions(task)
        etree.SubElement(held, LT + "form").set("name", name)


def _extensions(task: etree._Element) -> etree._Element:
    held = task.find(BPMN + "extensionElements")
    if held is None:
        held = etree.Element(BPMN + "extensionElements")
        task.insert(0, held)
    return held


def _write_people(root: etree._Element, deployment: Deployment) -> Iterator[Remark]:
    """Give the work that nobody of ours may do to the specialists of its pool."""
    known = {role.value for role in Role}
    nodes = {node.id: node for node in _nodes(deployment)}
    for kind in ("userTask", "manualTask"):
        for task in root.iter(BPMN + kind):
            node = nodes.get(str(task.get("id")))
            assign = node.extension.assign if node is not None else None
            named = assign.role if assign is not None else None
            if node is None or (assign is not None and (named is None or named in known)):
                continue
            held = _extensions(task)
            for old in held.findall(LT + "assign"):
                held.remove(old)
            etree.SubElement(held, LT + "assign").set("role", Role.SPECIALIST.value)
            yield Remark(
                rule="assigned_by_default",
                severity=Severity.ASSUME,
                file=MODEL,
                element=node.id,
                line=node.line,
                parameters={"role": Role.SPECIALIST.value, "named": named or "–"},
            )


# --- the declaration --------------------------------------------------------------------------


def _declaration(deployment: Deployment, nodes: list[Node], code: str, effective: date) -> str:
    return "\n".join(
        [
            "[procedure]",
            f"code = {_text(code)}",
            'version = "1"',
            f"name = {_both(code)}",
            f"effective = {effective.isoformat()}",
            f"citation = {_text(_UNKNOWN)}",
            "unconfirmed = true",
            *_roles(deployment),
            *_messages(deployment),
            *_figures(deployment),
            *_books(nodes),
            "",
        ]
    )


def _roles(deployment: Deployment) -> Iterator[str]:
    bindings = ["initiator", "addressee"]
    for pool in deployment.collaboration.pools:
        bind = bindings.pop(0) if bindings else f"directory:{pool.role}"
        yield from ("", f"[roles.{_text(pool.role)}]", f"name = {_both(pool.name or pool.role)}")
        yield f"bind = {_text(bind)}"


def _messages(deployment: Deployment) -> Iterator[str]:
    for flow in deployment.collaboration.flows:
        yield from ("", f"[messages.{_text(flow.message_type)}]")
        yield f"name = {_both(flow.name or flow.message_type)}"
        yield from (f"from = {_text(flow.source_role)}", f"to = {_text(flow.target_role)}")


def _figures(deployment: Deployment) -> Iterator[str]:
    processes = deployment.model.processes.values() if deployment.model else ()
    texts = {text for node in _nodes(deployment) for text in texts_of(node)}
    texts |= {one.condition or "" for process in processes for one in process.flows.values()}
    for name in sorted({name for text in texts for name in _PARAMETER.findall(text)}):
        yield from ("", f"[parameters.{_text(name)}]", 'value = "2wd"', 'type = "duration"')
        yield from (f"citation = {_text(_UNKNOWN)}", "unconfirmed = true")


def _books(nodes: list[Node]) -> Iterator[str]:
    for basis in sorted({node.extension.pause for node in nodes if node.extension.pause}):
        yield from ("", "[[pauses]]", f"basis = {_text(basis)}", f"citation = {_text(_UNKNOWN)}")
        yield "unconfirmed = true"
    for book in sorted({node.extension.register for node in nodes if node.extension.register}):
        yield from ("", f"[registers.{book}]", 'pattern = "{number}/UBND"')


def _one_field(name: str) -> Json:
    note: Json = {"type": "string", "maxLength": 2000, "x-label": {"vi": "Nội dung", "en": "Note"}}
    return {"type": "object", "x-label": {"vi": name, "en": name}, "properties": {"note": note}}


def _form(form: Json) -> bytes:
    return (json.dumps(form, ensure_ascii=False, indent=2) + "\n").encode()


def _text(value: str) -> str:
    """Return a TOML text; JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=False)


def _both(text: str) -> str:
    return f"{{ vi = {_text(text)}, en = {_text(text)} }}"
