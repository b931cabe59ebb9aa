"""A procedure: one version of the folder, read and checked; what hosts ask it for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from dossier.form import Form
from workflows.definition import Collaboration, Definition, Deployment
from workflows.expressions import Value
from workflows.linking import MARK
from workflows.starts import MessageStartEvent, message_starts

Names: TypeAlias = Mapping[str, str]  # language (`vi`, `en`) → text


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """One pool, and how its agency is found for a dossier."""

    name: Names
    bind: str
    units: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageType:
    """What one kind of message carries, and between whom."""

    name: Names
    source: str  # role
    to: str  # role
    documents: tuple[str, ...]
    values: tuple[str, ...]
    payload: str  # name of the form its values satisfy; empty: none
    urgency: str
    expires: str
    assurance_minimum: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentKind:
    """A kind of document; `print` names the layout that makes it from case values."""

    name: Names
    print: str  # empty: uploaded or received only


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A figure that changes by decree or by site."""

    value: Value
    type: str
    citation: str
    unconfirmed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline:
    """The total time of the case."""

    total: str
    mode: str  # day | minute
    cutoff: str  # HH:MM; empty: none
    start: str
    citation: str
    unconfirmed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseBasis:
    """A legal basis on which the clock may stop."""

    basis: str
    status: int | None
    citation: str
    unconfirmed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """A book whose numbers run without gaps."""

    pattern: str
    name: Names | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Procedure:
    """One version of a procedure, checked as a whole."""

    code: str
    version: str
    name: Names
    effective: date
    citation: str
    unconfirmed: bool
    roles: Mapping[str, Role]
    messages: Mapping[str, MessageType]
    documents: Mapping[str, DocumentKind]
    parameters: Mapping[str, Parameter]
    deadline: Deadline | None
    pause_bases: tuple[PauseBasis, ...]
    statuses: Mapping[int, Names]
    registers: Mapping[str, Register]
    english: Mapping[str, str]  # element id → English label
    forms: Mapping[str, Form]
    decisions: Mapping[str, bytes]
    scenarios: Mapping[str, bytes]
    deployment: Deployment
    source: bytes = field(repr=False)  # process.bpmn as the author wrote it

    @property
    def digest(self) -> str:
        """Return the SHA-256 of process.bpmn: the contract that two nodes must share."""
        return self.deployment.digest

    @property
    def collaboration(self) -> Collaboration:
        """Return the pools and message flows."""
        return self.deployment.collaboration

    @property
    def parameter_values(self) -> Mapping[str, Value]:
        """Return the parameters as expressions see them, below `param`."""
        return {name: parameter.value for name, parameter in self.parameters.items()}

    @property
    def pauses(self) -> Mapping[str, str]:
        """Return the citation of each pause basis."""
        return {pause.basis: pause.citation for pause in self.pause_bases}

    def definition(self, role: str) -> Definition:
        """Return the runnable definition of a role; raise `RoleUnknown`."""
        return self.deployment.definition(role)

    def message_starts(self, role: str) -> tuple[MessageStartEvent, ...]:
        """Return the start events of a role that messages set off; none for a black box."""
        return message_starts(self.definition(role)) if role in self.deployment.roles else ()

    def element_name(self, element_id: str) -> Mapping[str, str]:
        """Return the label of an element by language; the model's own label is Vietnamese."""
        label = self.labels.get(element_id) or element_id
        return {"vi": label, "en": self.english.get(element_id) or label}

    def place_of(self, element_id: str) -> str:
        """Return file and id of an element as its author knows them, `process.bpmn#review`."""
        file = self.deployment.files.get(element_id)
        if file is None:
            return f"process.bpmn#{element_id}"
        return f"{file}#{element_id.partition(MARK)[2]}"

    @property
    def labels(self) -> Mapping[str, str]:
        """Return the labels that the author drew, by element id."""
        return self.deployment.model.labels if self.deployment.model else {}
