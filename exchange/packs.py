"""What people read of rule packs: lists, one pack, what differs between two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from dossier.calendar import Calendar, local_day
from dossier.clock import SystemClock
from dossier.rulepack import RulePack, parse_rule_pack
from dossier.status import status_name
from dossier.texts import Language, render
from exchange import rules
from exchange.procedures.compare import change_lines, differences
from exchange.procedures.scaffold import write_folder


def list_packs() -> Iterator[str]:
    """Yield one line for each pack."""
    today = rules.Rules().effective(local_day(SystemClock().now())).version
    for one in rules.known_packs():
        mark = "*" if one.version == today else " "
        by = f"{one.published_by}, {one.confirmed_by}" if one.published_by else "-"
        yield f"{mark} {one.version}\t{one.effective}\t{by}"


def show_pack(pack: str, *, language: Language) -> Iterator[str]:
    """Yield what a pack says; raise `RulePackUnknown` or `RulePackRefused`."""
    found = parse_rule_pack(_files(pack))
    yield f"{found.version}  {found.effective}  {found.name.of(language)}"
    yield found.citation
    for place, traits in _things(found, language).items():
        said = ", ".join(f"{key}: {value}" for key, value in traits.items())
        yield f"{place}  {said}"


def compare_packs(before: str, after: str, *, language: Language) -> Iterator[str]:
    """Yield what differs between two packs, each a version of this node or a folder."""
    return pack_changes(_files(before), _files(after), language=language)


def pack_changes(
    before: Mapping[str, bytes], after: Mapping[str, bytes], *, language: Language
) -> Iterator[str]:
    """Yield what differs between the files of two packs, thing by thing."""
    old, new = parse_rule_pack(before), parse_rule_pack(after)
    yield f"{old.version} → {new.version}"
    found = list(change_lines(differences(_things(old, language), _things(new, language))))
    if not found:
        yield render("comparison", "no_change", language)
    yield from found


def export_pack(version: str, folder: Path) -> None:
    """Write a pack into a new folder; raise `RulePackUnknown` or `ScaffoldRefused`."""
    write_folder(folder.name, rules.files_of(version), below=folder.parent)


def _files(pack: str) -> Mapping[str, bytes]:
    folder = Path(pack)
    return rules.read_pack(folder) if folder.is_dir() else rules.files_of(pack)


def _things(pack: RulePack, language: Language) -> dict[str, dict[str, str]]:
    things = {
        "pack": {
            "effective": pack.effective.isoformat(),
            "name": pack.name.of(language),
            "citation": pack.citation,
            "confirmed": str(pack.confirmed),
        },
        "codes.dossier": {
            "long_date": str(pack.dossier_code.long_date),
            "digits": str(pack.dossier_code.digits),
        },
        **dict(_calendar_things(pack.calendar, language)),
    }
    for status, effect in pack.statuses.effects.items():
        things[f"status {status.value}"] = {
            "name": status_name(status, lang=language),
            "clock": effect.value,
        }
    for name, status in pack.statuses.substatuses.items():
        things[f"substatus {name}"] = {"status": str(status.value)}
    for awaited, shown in pack.statuses.shown.items():
        things[f"shown {awaited}"] = {"vi": shown.vi, "en": shown.en}
    for subject, form in pack.forms.items():
        things[f"form {subject}"] = {
            "number": form.number,
            "name": form.name.of(language),
            "citation": form.citation,
        }
    for one in pack.silence:
        things[f"silence {one.procedure} {one.element}".rstrip()] = {
            "policy": one.rule.policy.value,
            "after": one.after,
            "citation": one.rule.citation,
            "confirmed": str(one.confirmed),
        }
    return things


def _calendar_things(
    calendar: Calendar, language: Language
) -> Iterator[tuple[str, dict[str, str]]]:
    week = "; ".join(
        " ".join(f"{slot.start:%H:%M}-{slot.end:%H:%M}" for slot in day) or "–"
        for day in calendar.hours.week
    )
    yield (
        "calendar",
        {
            "version": calendar.version,
            "years": f"{calendar.first_year}-{calendar.last_year}",
            "hours": week,
        },
    )
    for day, row in sorted(calendar.rows.items()):
        yield (
            f"day {day}",
            {
                "kind": row.kind.value,
                "name": row.name.of(language),
                "citation": row.basis.citation.of(language),
                "confirmed": str(row.basis.confirmed),
            },
        )
