"""The directory as its authority edits it: a TOML file, and what changes between two editions.

`lienthong directory export` writes it from a sealed edition, `lienthong directory sign` makes the
next sealed edition of it. Certificates stand in it as PEM text, or as paths beside the file.
"""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dossier import xmltext
from dossier.directory import (
    AccessRule,
    Channel,
    Directory,
    DirectoryAgency,
    SealCertificate,
    XRoadMember,
    parse_directory,
    write_directory,
)
from dossier.envelope import Assurance
from dossier.errors import DirectoryRefused, LienThongError
from dossier.ids import parse_agency_code
from signing.enveloped import sign_xml
from signing.keys import Signer, read_certificates
from signing.tsa import Timestamper

_PEM: Final = "-----BEGIN CERTIFICATE-----"


def write_source(directory: Directory) -> str:
    """Return an edition as TOML; number and previous digest are given when it is sealed."""
    lines = [
        f"authority = {_quoted(directory.authority)}",
        f"valid_from = {xmltext.instant(directory.valid_from)}",
        f"valid_until = {xmltext.instant(directory.valid_until)}",
        f"grace_days = {directory.grace_days}",
    ]
    for agency in directory.agencies:
        lines += ["", "[[agency]]", *_agency_lines(agency)]
    for rule in directory.rules:
        lines += [
            "",
            "[[rule]]",
            *(f"{one.name} = {_quoted(getattr(rule, one.name))}" for one in fields(rule)),
        ]
    return "\n".join(lines) + "\n"


def read_source(content: str, *, beside: Path) -> Directory:
    """Return the edition a source describes, number 1; raise `DirectoryRefused`."""
    try:
        source = tomllib.loads(content)
        return Directory(
            number=1,
            authority=str(source["authority"]),
            valid_from=_instant(source["valid_from"]),
            valid_until=_instant(source["valid_until"]),
            grace_days=int(source["grace_days"]),
            previous_sha256="",
            agencies=tuple(_agency(one, beside) for one in source.get("agency", [])),
            rules=tuple(AccessRule(**one) for one in source.get("rule", [])),
        )
    except KeyError as exc:
        raise DirectoryRefused(f"expected {exc.args[0]} in the source") from exc
    except (ValueError, TypeError, OSError, AttributeError) as exc:
        raise DirectoryRefused(f"expected a directory source: {exc}") from exc


def seal_edition(
    draft: Directory,
    *,
    number: int,
    previous_sha256: str,
    signer: Signer,
    timestamper: Timestamper | None,
    at: datetime,
) -> bytes:
    """Return the sealed edition of a draft; raise `DirectoryRefused` for what nobody could read."""
    unsigned = write_directory(replace(draft, number=number, previous_sha256=previous_sha256))
    parse_directory(unsigned)
    return sign_xml(unsigned, signer=signer, timestamper=timestamper, at=at)


def difference(old: Directory | None, new: Directory) -> list[str]:
    """Return what changes from one edition to the other, one line each."""
    lines: list[str] = []
    before: Mapping[str, DirectoryAgency] = {one.code: one for one in old.agencies} if old else {}
    after = {one.code: one for one in new.agencies}
    if old:
        lines += _changed("directory", old, new, ("authority", "valid_until", "grace_days"))
    lines += [f"+ agency {code} {after[code].name_vi}" for code in after if code not in before]
    lines += [f"- agency {code} {before[code].name_vi}" for code in before if code not in after]
    for code in after:
        if code in before:
            names = [one.name for one in fields(DirectoryAgency)]
            lines += _changed(f"agency {code}", before[code], after[code], names)
    old_rules = set(old.rules) if old else set()
    lines += [f"+ rule {_rule(one)}" for one in new.rules if one not in old_rules]
    lines += [f"- rule {_rule(one)}" for one in (old.rules if old else ()) if one not in new.rules]
    return lines


def _changed(what: str, old: object, new: object, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        was, now = getattr(old, name), getattr(new, name)
        if was == now:
            continue
        if isinstance(was, tuple):
            yield from (f"+ {what} {name} {_shown(one)}" for one in now if one not in was)
            yield from (f"- {what} {name} {_shown(one)}" for one in was if one not in now)
        else:
            yield f"~ {what} {name}: {_shown(was)} -> {_shown(now)}"


def _shown(value: object) -> str:
    if isinstance(value, SealCertificate):
        return f"{value.sha256} until {xmltext.instant(value.valid_until)}"
    if isinstance(value, Channel):
        return f"{value.kind} ({value.assurance.value})"
    return xmltext.instant(value) if isinstance(value, datetime) else str(value)


def _rule(rule: AccessRule) -> str:
    return f"{rule.client} -> {rule.server}: {rule.procedure} {rule.message_type}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _agency_lines(agency: DirectoryAgency) -> Iterator[str]:
    for name in ("code", "name_vi", "name_en", "kind", "territory", "endpoint"):
        yield f"{name} = {_quoted(getattr(agency, name))}"
    yield f"aliases = {json.dumps(agency.aliases)}"
    yield f"competences = {json.dumps(agency.competences)}"
    yield f"valid_from = {xmltext.instant(agency.valid_from)}"
    if agency.valid_until:
        yield f"valid_until = {xmltext.instant(agency.valid_until)}"
    if agency.successor:
        yield f"successor = {_quoted(agency.successor)}"
    channels = ", ".join(
        f"{{ kind = {_quoted(one.kind)}, assurance = {_quoted(one.assurance.value)} }}"
        for one in agency.channels
    )
    yield f"channels = [{channels}]"
    if agency.demands_signed_calls:
        yield "demands_signed_calls = true"
    if agency.x_road:
        parts = (
            f"{one.name} = {_quoted(getattr(agency.x_road, one.name))}"
            for one in fields(agency.x_road)
        )
        yield f"x_road = {{ {', '.join(parts)} }}"
    for table, held in (("seal", agency.seals), ("call", agency.calls)):
        for one in held:
            pem = base64.b64encode(one.certificate).decode()
            yield f"\n[[agency.{table}]]"
            yield f"valid_from = {xmltext.instant(one.valid_from)}"
            yield f"valid_until = {xmltext.instant(one.valid_until)}"
            yield f'certificate = """\n{_PEM}\n{pem}\n-----END CERTIFICATE-----\n"""'


def _agency(source: Mapping[str, Any], beside: Path) -> DirectoryAgency:
    member = source.get("x_road")
    return DirectoryAgency(
        code=parse_agency_code(source["code"]),
        aliases=tuple(parse_agency_code(one) for one in source.get("aliases", [])),
        name_vi=str(source["name_vi"]),
        name_en=str(source["name_en"]),
        kind=str(source["kind"]),
        territory=str(source.get("territory", "")),
        competences=tuple(str(one) for one in source.get("competences", [])),
        valid_from=_instant(source["valid_from"]),
        valid_until=_instant(source["valid_until"]) if "valid_until" in source else None,
        successor=parse_agency_code(source["successor"]) if "successor" in source else None,
        endpoint=str(source.get("endpoint", "")),
        channels=tuple(
            Channel(kind=str(one["kind"]), assurance=Assurance(one["assurance"]))
            for one in source.get("channels", [])
        ),
        seals=tuple(_certificate(one, beside) for one in source.get("seal", [])),
        calls=tuple(_certificate(one, beside) for one in source.get("call", [])),
        x_road=XRoadMember(**member) if member else None,
        demands_signed_calls=bool(source.get("demands_signed_calls", False)),
    )


def _certificate(source: Mapping[str, Any], beside: Path) -> SealCertificate:
    given = str(source["certificate"])
    content = given.encode() if _PEM in given else (beside / given).read_bytes()
    try:
        certificate = read_certificates(content)[0]
    except LienThongError as exc:
        raise DirectoryRefused(f"expected a certificate: {exc.message}") from exc
    return SealCertificate(
        certificate=certificate,
        valid_from=_instant(source["valid_from"]),
        valid_until=_instant(source["valid_until"]),
    )


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise DirectoryRefused("expected an instant with its zone, such as 2026-01-01T00:00:00Z")
    return xmltext.truncated(value.astimezone(UTC))
