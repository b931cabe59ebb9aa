"""Which portals are told of which dossiers, in whose codes: one TOML file, codes are never ours.

`docs/howto/report-to-the-national-portal.md` describes every key. Secrets stand in files of their
own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from connectors.national_portal import PortalCodes
from connectors.national_portal_rest import PortalPaths
from dossier.model import Business
from exchange.national.errors import PortalConfigurationRefused

_DESTINATION: Final = frozenset(
    {"name", "flow", "address", "agency", "agencies", "poll_seconds", "username", "password_file"}
    | {"client_id", "secret_file", "paths", "codes", "values", "procedures"}
)
_CODES: Final = frozenset({"owner_kinds", "channels", "return_forms", "copy_kinds", "statuses"})
_PROCEDURE: Final = frozenset({"code", "name", "field_code", "field_name", "service_code"})
# What a destination may take from case values; the defaults stand for what is missing.
_VALUES: Final[Mapping[str, str]] = {
    "owner_name": "owner_name",
    "owner_kind": "owner_kind",
    "phone": "owner_phone",
    "email": "owner_email",
    "channel": "channel",
    "return_form": "return_form",
}


class Flow(Enum):
    """Which of the two interfaces a portal has."""

    OLDER = "older"  # DongBoHoSoMC, CapNhatTienDoHoSoMC, TraCuuHoSo
    NEWER = "newer"  # token, NoiHoSo, CapNhatTienTrinh, CapNhatTrangThai


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalProcedure:
    """One of our procedures as the portal calls it."""

    code: str  # MaTTHC
    name: str
    field_code: str = ""
    field_name: str = ""
    service_code: str = ""  # MaDichVuCong, only in the newer interface


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """One portal."""

    name: str
    flow: Flow
    address: str
    agency: str  # madonvi, MaDonViTiepNhan
    agencies: tuple[str, ...]  # ours whose dossiers are told; empty: all
    poll_seconds: int
    account: str  # username or client_id
    secret: str
    codes: PortalCodes
    procedures: Mapping[str, PortalProcedure]  # by our code; others are not told
    values: Mapping[str, str] = field(default_factory=dict)  # field → case value, or "=constant"
    paths: PortalPaths = field(default_factory=PortalPaths)


def read_destinations(path: Path) -> tuple[Destination, ...]:
    """Return what the file says, nothing for a file that is not there.

    Raises `PortalConfigurationRefused` naming the key.
    """
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as exc:
        raise _refused(path.name, f"readable TOML ({exc})") from exc
    _known(said, frozenset({"destination"}), "the file")
    listed = said.get("destination", [])
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise _refused("destination", "tables [[destination]]")
    found = tuple(_destination(one, path.parent) for one in listed)
    if len({one.name for one in found}) != len(found):
        raise _refused("destination.name", "a name of its own for each")
    return found


def _destination(said: Mapping[str, Any], folder: Path) -> Destination:
    _known(said, _DESTINATION, "destination")
    name = _text(said, "name")
    if _text(said, "flow") not in {one.value for one in Flow}:
        raise _refused("destination.flow", "older or newer")
    flow = Flow(said["flow"])
    account, secret = (
        ("username", "password_file") if flow is Flow.OLDER else ("client_id", "secret_file")
    )
    codes = _codes(_table(said, "codes"))
    if flow is Flow.NEWER:
        _demand_numbers(codes)
    seconds = said.get("poll_seconds", 60)
    if not isinstance(seconds, int) or not 1 <= seconds <= 86_400:
        raise _refused("destination.poll_seconds", "a whole number from 1 to 86400")
    return Destination(
        name=name,
        flow=flow,
        address=_text(said, "address"),
        agency=_text(said, "agency"),
        agencies=tuple(str(one) for one in said.get("agencies", ())),
        poll_seconds=seconds,
        account=_text(said, account),
        secret=_secret(folder / _text(said, secret), secret),
        codes=codes,
        procedures=_procedures(_table(said, "procedures")),
        values=_values(_table(said, "values")),
        paths=_paths(_table(said, "paths")),
    )


def _codes(said: Mapping[str, Any]) -> PortalCodes:
    _known(said, _CODES, "codes")
    statuses = {status: str(status.value) for status in Business}
    for number, code in _texts(_table(said, "statuses")).items():
        if not number.isdecimal() or int(number) not in {one.value for one in Business}:
            raise _refused(f"codes.statuses.{number}", "a national status from 1 to 10")
        statuses[Business(int(number))] = code
    given = {name: _texts(_table(said, name)) for name in _CODES - {"statuses"} if name in said}
    return PortalCodes(
        owner_kinds=given.get("owner_kinds", {}),
        channels=given.get("channels", {}),
        return_forms=given.get("return_forms", {}),
        statuses=statuses,
        **({"copy_kinds": given["copy_kinds"]} if "copy_kinds" in given else {}),
    )


def _demand_numbers(codes: PortalCodes) -> None:
    """Refuse codes that the newer interface, where they travel as numbers, cannot say."""
    tables = {
        "owner_kinds": codes.owner_kinds.items(),
        "copy_kinds": codes.copy_kinds.items(),
        "statuses": ((str(status.value), code) for status, code in codes.statuses.items()),
    }
    for table, items in tables.items():
        for name, code in items:
            if not code.isdecimal():
                raise _refused(f"codes.{table}.{name}", "a number")


def _procedures(said: Mapping[str, Any]) -> Mapping[str, PortalProcedure]:
    found = {}
    for name in said:
        one = _table(said, name)
        _known(one, _PROCEDURE, f"procedures.{name}")
        found[name] = PortalProcedure(**_texts(one))
    if not found:
        raise _refused("destination.procedures", "at least one procedure")
    return found


def _values(said: Mapping[str, Any]) -> Mapping[str, str]:
    _known(said, frozenset(_VALUES), "values")
    return {**_VALUES, **_texts(said)}


def _paths(said: Mapping[str, Any]) -> PortalPaths:
    names = frozenset({"token", "next_number", "upload", "dossier", "progress", "status"})
    _known(said, names, "paths")
    return PortalPaths(**_texts(said))


def _secret(path: Path, key: str) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError as exc:
        raise _refused(f"destination.{key}", f"a readable file ({exc.strerror})") from exc


def _known(said: Mapping[str, Any], names: frozenset[str], where: str) -> None:
    unknown: Sequence[str] = sorted(set(said) - names)
    if unknown:
        raise _refused(f"{where}: {unknown[0]}", "one of " + ", ".join(sorted(names)))


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name, {})
    if not isinstance(found, Mapping):
        raise _refused(name, "a table")
    return found


def _texts(said: Mapping[str, Any]) -> dict[str, str]:
    if not all(isinstance(value, str) for value in said.values()):
        raise _refused(next(iter(said)), "texts only")
    return dict(said)


def _text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not found:
        raise _refused(f"destination.{name}", "text")
    return found


def _refused(name: str, expected: str) -> PortalConfigurationRefused:
    return PortalConfigurationRefused(
        f"expected {expected} in {name}", name=name[:80], expected=expected[:200]
    )
