"""Parts: processes in folders of their own, which procedures call by name and version.

A part travels inside the folder of its caller, as `parts/<name>/…`: so a published version keeps
the very part it was published with. docs/reference/procedure-folder.md describes `part.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from dossier.errors import Rejected
from dossier.form import Form
from workflows.agreement import check_agreement
from workflows.bare import bare_procedure
from workflows.errors import ProcedureRefused
from workflows.graph import Kind, Model
from workflows.linking import MARK, Part
from workflows.procedure import Names, Parameter, PauseBasis, Procedure, Register
from workflows.reader import read_model
from workflows.shelves import MODEL, VERSION, Shelves, matched, read_parameters, read_shelves
from workflows.tomlread import refuse

PARTS: Final = "parts/"
PART_DECLARATION: Final = "part.toml"
_PLACE: Final = re.compile(r"parts/([a-z0-9][a-z0-9_-]*)/(.+)")
_CODE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PartFolder:
    """One part with everything that lies in its folder."""

    folder: str  # `parts/consult/`; empty: the part is looked at by itself
    code: str  # id of the process that is called
    version: str
    name: Names
    citation: str
    unconfirmed: bool
    parameters: Mapping[str, Parameter]
    english: Mapping[str, str]
    shelves: Shelves

    @property
    def linked(self) -> Part:
        """Return what a model can be linked with."""
        return Part(
            path=self.folder + MODEL,
            source=self.shelves.model,
            version=self.version,
            forms=frozenset(self.shelves.forms),
        )

    @property
    def forms(self) -> dict[str, Form]:
        """Return the forms by the names that they have in a procedure."""
        return {self._outer(name): form for name, form in self.shelves.forms.items()}

    @property
    def decisions(self) -> dict[str, bytes]:
        """Return the decision files by the names that they have in a procedure."""
        return {self._outer(name): content for name, content in self.shelves.decisions.items()}

    @property
    def labels(self) -> dict[str, str]:
        """Return the English labels by the ids that elements have in a procedure."""
        return {self._outer(element): label for element, label in self.english.items()}

    def _outer(self, name: str) -> str:
        return f"{self.code}{MARK}{name}"


def split_parts(
    files: Mapping[str, bytes],
) -> tuple[dict[str, bytes], tuple[PartFolder, ...]]:
    """Return the files of a folder itself, and the parts that lie in it."""
    own: dict[str, bytes] = {}
    inner: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        match = _PLACE.fullmatch(path)
        if match is None:
            own[path] = content
        else:
            inner.setdefault(match[1], {})[match[2]] = content
    parts = [_read(found, folder=f"{PARTS}{name}/") for name, found in sorted(inner.items())]
    return own, tuple(parts)


def load_part(files: Mapping[str, bytes]) -> Procedure:
    """Return a part by itself as something that scenarios can play.

    What its caller declares (documents, registers, bases of pauses) is taken as declared. Raise
    the refusals of `load_procedure`.
    """
    own, parts = split_parts(files)
    part = _read(own, folder="")
    bare = bare_procedure(part.shelves.model, code=part.code, parts=[one.linked for one in parts])
    procedure = replace(
        bare,
        version=part.version,
        name=part.name,
        citation=part.citation,
        unconfirmed=part.unconfirmed,
        pause_bases=tuple(map(_pause, sorted(_used(bare, "pause")))),
        registers=dict.fromkeys(
            sorted(_used(bare, "register")), Register(pattern="{number}/PART", name=None)
        ),
        scenarios=part.shelves.scenarios,
    )
    procedure = with_parts(
        replace(
            procedure,
            forms=part.shelves.forms,
            decisions=part.shelves.decisions,
            parameters=part.parameters,
            english=part.english,
        ),
        parts,
    )
    check_agreement(procedure)
    return procedure


def with_parts(procedure: Procedure, parts: tuple[PartFolder, ...]) -> Procedure:
    """Return a procedure with what the parts that it calls bring along; its own wins."""
    called = [part for part in parts if part.code in procedure.deployment.bound]
    parameters: dict[str, Parameter] = {}
    forms: dict[str, Form] = {}
    decisions: dict[str, bytes] = {}
    english: dict[str, str] = {}
    for part in called:
        parameters |= part.parameters
        forms |= part.forms
        decisions |= part.decisions
        english |= part.labels
    return replace(
        procedure,
        parameters={**parameters, **procedure.parameters},
        forms={**forms, **procedure.forms},
        decisions={**decisions, **procedure.decisions},
        english={**english, **procedure.english},
    )


def missing_calls(files: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """Return the called processes, each with its wanted version, that no file offers yet.

    A model that cannot be read misses nothing: its lint says why.
    """
    models = [
        model
        for path, content in files.items()
        if path.rpartition("/")[2] == MODEL and (model := _model(content)) is not None
    ]
    offered = {
        name for model in models for name, process in model.processes.items() if process.nodes
    }
    return {call for model in models for call in calls_of(model) if call[0] not in offered}


def calls_of(model: Model) -> set[tuple[str, str]]:
    """Return what a model calls: ids of processes, each with the version that is wanted."""
    return {
        (node.called, node.extension.version or "")
        for process in model.processes.values()
        for node in process.nodes.values()
        if node.kind is Kind.CALL_ACTIVITY and node.called
    }


def _model(content: bytes) -> Model | None:
    try:
        return read_model(content)[0]
    except Rejected:
        return None


def _read(files: Mapping[str, bytes], *, folder: str) -> PartFolder:
    try:
        return _read_folder(files, folder)
    except ProcedureRefused as exc:
        where = str(exc.parameters["where"])
        if "/" in where or where in files or where in (MODEL, PART_DECLARATION):
            raise
        found = {key: str(value) for key, value in exc.parameters.items() if key != "where"}
        reason = found.pop("reason")
        raise refuse(f"{folder}{PART_DECLARATION}#{where}", reason, **found) from exc


def _read_folder(files: Mapping[str, bytes], folder: str) -> PartFolder:
    shelves = read_shelves(files, declaration=PART_DECLARATION, folder=folder)
    top = shelves.declaration
    head = top.table("part")
    part = PartFolder(
        folder=folder,
        code=matched(head, "code", _CODE),
        version=matched(head, "version", VERSION),
        name=head.bilingual("name"),
        citation=head.text("citation", ""),
        unconfirmed=head.flag("unconfirmed"),
        parameters=read_parameters(top),
        english=top.texts("elements"),
        shelves=shelves,
    )
    head.end()
    top.end()
    model = _model(shelves.model)
    if model is not None and part.code not in model.processes:
        raise refuse("part.code", "no_such_process", process=part.code)
    return part


def _used(procedure: Procedure, what: str) -> set[str]:
    return {
        str(name)
        for role in procedure.deployment.roles
        for node in procedure.definition(role).elements.values()
        if (name := getattr(node.extension, what))
    }


def _pause(basis: str) -> PauseBasis:
    return PauseBasis(basis=basis, status=None, citation="", unconfirmed=True)
