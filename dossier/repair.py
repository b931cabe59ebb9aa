"""What operators see and order when an instance has to be put right by hand; no case values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID


class RepairKind(Enum):
    """What a person may do with a token."""

    RETRY = "retry"  # run again what an incident stopped
    MOVE = "move"  # put it before another element
    BACK = "back"  # the same, to an element that was done before
    SKIP = "skip"  # leave its element as if the work were done


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """One order: which token, where to, and why."""

    kind: RepairKind
    token: str
    to: str = ""  # element, for MOVE and BACK
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """One thing that an order would change."""

    what: str  # code of a sentence: task_opened, task_closed, message_sent, …
    element_id: str
    name: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """An element as lists show it."""

    element_id: str
    name: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenPlace:
    """One live token, and where it may go."""

    id: str
    element_id: str
    name: Mapping[str, str]
    state: str  # waiting, joining, ready, incident
    code: str  # of its incident
    names_read: Sequence[str]  # the values that the element's expressions read
    instances: int  # open rows of a parallel loop
    can_skip: bool
    targets: Sequence[Place]
    done_before: Sequence[Place]  # targets where this instance has been, the latest first


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairPage:
    """One running instance as its operator sees it."""

    instance: UUID
    dossier: UUID
    dossier_code: str
    role: str
    procedure_name: Mapping[str, str]
    version: str
    is_halted: bool
    is_open: bool
    tokens: Sequence[TokenPlace]
    diagram_svg: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Why a running instance cannot go on under another version."""

    place: Place
    reason: str  # unmapped, missing, kind, scope, event, loop, flow, boundary, log, …


@dataclass(frozen=True, kw_only=True, slots=True)
class Migrated:
    """What became, or would become, of one running instance."""

    dossier_code: str
    role: str
    moves: bool
    code: str  # of the refusal; empty: it moves
    kept: Sequence[Place]  # work that stays open as it is
    reopened: Sequence[Place]  # work that is closed and opened anew
    armed: Sequence[Place]  # boundary events that begin to listen
    effects: Sequence[Effect]
    blocks: Sequence[Block]
