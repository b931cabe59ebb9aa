"""A rule pack: calendar, statuses, code patterns, legal forms and silence rules of one time.

It is a folder of data with an effective date and a citation. A new text makes a new pack; a pack
that was in force is never edited, and a dossier keeps the one under which it was opened.
docs/reference/rule-packs.md describes the files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any, Final

from dossier.calendar import Calendar, parse_calendar
from dossier.codes import DossierCodeShape
from dossier.deadline import parse_allowance
from dossier.errors import LienThongError
from dossier.rule_errors import RulePackRefused
from dossier.silence import Policy, SilenceRule, silence_rule
from dossier.status import StatusRules, parse_status_rules
from dossier.texts import Bilingual

DECLARATION: Final = "rulepack.toml"
STATUSES: Final = "statuses.toml"
_VERSION: Final = re.compile(r"[0-9]{4}(\.[0-9]{1,4}){1,2}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TOP: Final = {"pack", "calendar", "codes", "forms", "silence"}
_PACK: Final = {"version", "effective", "name", "citation", "unconfirmed"}
_SILENCE: Final = {"procedure", "element", "policy", "after", "citation", "unconfirmed"}
_SHIPPED: Final = ("2018.1", "2025.1")


@dataclass(frozen=True, kw_only=True, slots=True)
class LegalForm:
    """The number and title that a legal form bears under the pack's circular."""

    number: str  # as printed, such as `05`
    name: Bilingual
    citation: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PackSilence:
    """What silence means in one procedure; it replaces what the model says."""

    procedure: str
    element: str  # empty: every consultation of the procedure
    rule: SilenceRule
    after: str  # allowance; empty: as the model says
    confirmed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RulePack:
    """The rules of one time."""

    version: str
    effective: date
    name: Bilingual
    citation: str
    confirmed: bool
    calendar: Calendar
    statuses: StatusRules
    dossier_code: DossierCodeShape
    forms: Mapping[str, LegalForm]  # by subject, such as `receipt`
    silence: tuple[PackSilence, ...]

    def silence_of(self, procedure: str, element: str) -> PackSilence | None:
        """Return what the pack says about silence at an element; its own rule wins."""
        named = [one for one in self.silence if one.procedure == procedure]
        exact = [one for one in named if one.element == element]
        general = [one for one in named if not one.element]
        return next(iter((*exact, *general)), None)


def parse_rule_pack(files: Mapping[str, bytes]) -> RulePack:
    """Return the pack of a folder's files; raise `RulePackRefused` with file and key."""
    top = _table_of(files)
    _known(top, _TOP, DECLARATION)
    head = _part(top, "pack")
    _known(head, _PACK, "pack")
    calendar, used = _calendar(_part(top, "calendar"), files)
    extra = files.keys() - {DECLARATION, STATUSES, *used}
    if extra:
        raise _refused(min(extra), "unknown_file")
    return RulePack(
        version=_matched(head, "version", _VERSION, "pack"),
        effective=_day(head),
        name=_bilingual(head, "name", "pack"),
        citation=_text(head, "citation", "pack"),
        confirmed=head.get("unconfirmed") is not True,
        calendar=calendar,
        statuses=_statuses(files),
        dossier_code=_code(_part(_part(top, "codes"), "dossier", "codes")),
        forms={
            subject: LegalForm(
                number=_text(form, "number", f"forms.{subject}"),
                name=_bilingual(form, "name", f"forms.{subject}"),
                citation=_text(form, "citation", f"forms.{subject}"),
            )
            for subject, form in _part(top, "forms").items()
        },
        silence=tuple(_silences(top.get("silence", []))),
    )


def shipped_rule_packs() -> Mapping[str, Mapping[str, bytes]]:
    """Return the files of the packs that ship with the software, by version, oldest first."""
    return {version: _shipped_files(version) for version in _SHIPPED}


def _shipped_files(version: str) -> dict[str, bytes]:
    root = resources.files("dossier")
    declaration = root.joinpath("rules", f"{version}.toml").read_bytes()
    calendar = tomllib.loads(declaration.decode())["calendar"]
    return {
        DECLARATION: declaration,
        STATUSES: root.joinpath("rules", "statuses.toml").read_bytes(),
        **{
            f"calendars/{name}.toml": root.joinpath("calendars", f"{name}.toml").read_bytes()
            for name in (calendar["base"], *calendar["layers"])
        },
    }


def _table_of(files: Mapping[str, bytes]) -> Mapping[str, Any]:
    if DECLARATION not in files:
        raise _refused(DECLARATION, "missing")
    try:
        return tomllib.loads(files[DECLARATION].decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as exc:
        raise _refused(DECLARATION, "not_toml") from exc


def _calendar(
    table: Mapping[str, Any], files: Mapping[str, bytes]
) -> tuple[Calendar, frozenset[str]]:
    _known(table, {"base", "layers", "hours"}, "calendar")
    layers = table.get("layers", [])
    if not isinstance(layers, list):
        raise _refused("calendar.layers", "wrong_type")
    names = [table.get("base"), *layers]
    paths = []
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _refused("calendar", "wrong_type")
        paths.append(f"calendars/{name}.toml")
        if paths[-1] not in files:
            raise _refused(paths[-1], "missing")
    try:
        found = parse_calendar(
            files[paths[0]],
            layers=tuple(files[path] for path in paths[1:]),
            hours=str(table.get("hours", "standard")),
        )
    except LienThongError as exc:
        raise _refused("calendars/", str(exc.parameters.get("reason", exc.code))) from exc
    return found, frozenset(paths)


def _statuses(files: Mapping[str, bytes]) -> StatusRules:
    if STATUSES not in files:
        raise _refused(STATUSES, "missing")
    try:
        return parse_status_rules(files[STATUSES])
    except LienThongError as exc:
        raise _refused(STATUSES, exc.message) from exc


def _code(table: Mapping[str, Any]) -> DossierCodeShape:
    _known(table, {"long_date", "digits", "citation"}, "codes.dossier")
    digits, long_date = table.get("digits"), table.get("long_date")
    if type(digits) is not int or not 4 <= digits <= 7 or type(long_date) is not bool:
        raise _refused("codes.dossier", "wrong_type")
    return DossierCodeShape(long_date=long_date, digits=digits)


def _silences(rows: object) -> Iterator[PackSilence]:
    if not isinstance(rows, list):
        raise _refused("silence", "wrong_type")
    for number, row in enumerate(rows, start=1):
        where = f"silence.{number}"
        if not isinstance(row, dict):
            raise _refused(where, "wrong_type")
        _known(row, _SILENCE, where)
        after = str(row.get("after", ""))
        try:
            if after:
                parse_allowance(after)
            rule = silence_rule(
                Policy(str(row.get("policy"))), citation=str(row.get("citation", ""))
            )
        except (LienThongError, ValueError) as exc:
            raise _refused(where, "no_rule") from exc
        yield PackSilence(
            procedure=_text(row, "procedure", where),
            element=str(row.get("element", "")),
            rule=rule,
            after=after,
            confirmed=row.get("unconfirmed") is not True,
        )


def _part(table: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
    found = table.get(key)
    if not isinstance(found, dict):
        raise _refused(f"{where}.{key}".removeprefix("."), "missing")
    return found


def _known(table: Mapping[str, Any], allowed: set[str], where: str) -> None:
    if unknown := table.keys() - allowed:
        raise _refused(f"{where}.{min(unknown)}", "unknown_key")


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    found = table.get(key)
    if not isinstance(found, str) or not found.strip():
        raise _refused(f"{where}.{key}", "missing")
    return found


def _matched(table: Mapping[str, Any], key: str, shape: re.Pattern[str], where: str) -> str:
    found = _text(table, key, where)
    if not shape.fullmatch(found):
        raise _refused(f"{where}.{key}", "wrong_type")
    return found


def _day(table: Mapping[str, Any]) -> date:
    found = table.get("effective")
    if type(found) is not date:
        raise _refused("pack.effective", "wrong_type")
    return found


def _bilingual(table: Mapping[str, Any], key: str, where: str) -> Bilingual:
    names = _part(table, key, where)
    _known(names, {"vi", "en"}, f"{where}.{key}")
    return Bilingual(
        vi=_text(names, "vi", f"{where}.{key}"), en=_text(names, "en", f"{where}.{key}")
    )


def _refused(where: str, reason: str) -> RulePackRefused:
    return RulePackRefused(
        f"expected a rule pack as documented, got {reason} at {where}", where=where, reason=reason
    )
