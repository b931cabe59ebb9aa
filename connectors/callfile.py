"""Read the file that configures calls of foreign services: a closed set of keys for each kind."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from connectors.errors import ForeignCallMalformed

_METHODS: Final = frozenset({"GET", "POST", "PUT"})
_LONGEST: Final = 31 * 24 * 3600  # seconds of a lease, a wait or an answer


class Kind(Enum):
    """How a foreign service speaks."""

    SOAP = "soap"
    JSON = "json"
    RECORDED = "recorded"  # answers from a file, for demonstrations and tests
    JOB = "job"  # an external worker takes it by REST


_NEEDED: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.SOAP: ("url", "operation", "wsdl", "port"),
    Kind.JSON: ("url", "operation"),
    Kind.RECORDED: ("recording",),
    Kind.JOB: (),
}
_TEXTS: Final = frozenset({"kind", "url", "operation", "wsdl", "port", "recording"})
_NUMBERS: Final[Mapping[str, int]] = {  # with their defaults; seconds, but for attempts
    "attempts": 6,
    "wait_seconds": 5,
    "longest_wait_seconds": 900,
    "lease_seconds": 300,
    "answer_within_seconds": 0,
}
_KEYS: Final = _TEXTS | set(_NUMBERS) | {"business_errors", "inputs", "outputs"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignCall:
    """One configured call."""

    name: str  # as `lt:service` names it
    kind: Kind
    url: str = ""
    operation: str = ""  # of the WSDL's port, or the HTTP method
    wsdl: Path | None = None  # vendored; nothing it imports is fetched
    port: str = ""
    recording: Path | None = None
    business_errors: frozenset[str] = frozenset()  # fault names, or HTTP statuses as text
    inputs: Mapping[str, str] = field(default_factory=dict)  # name → expression; empty: as given
    outputs: Mapping[str, str] = field(default_factory=dict)  # the same for the answer
    attempts: int = 6
    wait_seconds: int = 5  # after the first attempt; it doubles
    longest_wait_seconds: int = 900
    lease_seconds: int = 300  # of an external worker that names none
    answer_within_seconds: int = 0  # a long call: its answer comes by REST; 0: it answers at once


def parse_calls(content: bytes, *, folder: Path) -> Mapping[str, ForeignCall]:
    """Return the calls that a TOML file describes, by name; WSDLs lie in `folder`."""
    try:
        tables = tomllib.loads(content.decode()).get("call", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ForeignCallMalformed("expected TOML", name="*", reason="toml") from exc
    if not isinstance(tables, dict):
        raise ForeignCallMalformed("expected [call.…] tables", name="*", reason="table")
    return {name: _parse_call(name, table, folder) for name, table in tables.items()}


def _parse_call(name: str, table: object, folder: Path) -> ForeignCall:
    def refuse(reason: str) -> ForeignCallMalformed:
        return ForeignCallMalformed(f"expected a sound call {name}", name=name, reason=reason)

    if not isinstance(table, dict):
        raise refuse("table")
    if set(table) - _KEYS:
        raise refuse("keys")
    kind = next((one for one in Kind if one.value == table.get("kind")), None)
    if kind is None:
        raise refuse("kind")
    if not all(isinstance(table.get(key), str) for key in _NEEDED[kind]):
        raise refuse("wsdl" if "wsdl" in _NEEDED[kind] and "wsdl" not in table else "keys")
    if kind is Kind.JSON and table["operation"] not in _METHODS:
        raise refuse("method")
    return ForeignCall(
        name=name,
        kind=kind,
        url=str(table.get("url", "")),
        operation=str(table.get("operation", "")),
        wsdl=_beside(folder, table["wsdl"], refuse, "wsdl") if kind is Kind.SOAP else None,
        port=str(table.get("port", "")),
        recording=_beside(folder, table["recording"], refuse, "recording")
        if kind is Kind.RECORDED
        else None,
        business_errors=frozenset(str(one) for one in table.get("business_errors", [])),
        inputs=_mapping(table.get("inputs", {}), refuse),
        outputs=_mapping(table.get("outputs", {}), refuse),
        **{key: _number(table.get(key, default), refuse) for key, default in _NUMBERS.items()},
    )


def _beside(
    folder: Path, name: str, refuse: Callable[[str], ForeignCallMalformed], reason: str
) -> Path:
    path = folder / name
    if not path.is_file() or path.parent != folder:
        raise refuse(reason)
    return path


def _mapping(table: object, refuse: Callable[[str], ForeignCallMalformed]) -> Mapping[str, str]:
    if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
        raise refuse("mapping")
    return dict(table)


def _number(value: object, refuse: Callable[[str], ForeignCallMalformed]) -> int:
    if type(value) is not int or not 0 <= value <= _LONGEST:
        raise refuse("number")
    return value
