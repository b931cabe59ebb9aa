"""`lienthong verify`: judge signed files offline, trusting only the anchor that is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dossier.report import Answer, Report
from dossier.texts import Language
from exchange.verify import (
    AsOf,
    TrustFiles,
    etsi_of,
    given_of,
    html_of,
    text_of,
    verdict_of,
)
from exchange.verifyfolder import Judged, Wanted, find_files, judge_all, open_ledger

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Form(Enum):
    TEXT = "text"
    JSON = "json"
    HTML = "html"
    ETSI = "etsi"


@click.command("verify")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="FILE|SHA256",
    help="Trust anchor: a certificate file or its SHA-256; may be repeated.",
)
@click.option(
    "--trust-list",
    "trust_lists",
    multiple=True,
    type=_FILE,
    help="Trust list (TS 119 612), signed under an anchor.",
)
@click.option(
    "--cert", "certificates", multiple=True, type=_FILE, help="Issuing certificates, not believed."
)
@click.option("--crl", "crls", multiple=True, type=_FILE, help="A CRL, complete or delta.")
@click.option("--ocsp", "ocsps", multiple=True, type=_FILE, help="An OCSP response.")
@click.option(
    "--policy", type=_FILE, help="Stricter rules, TOML or JSON; see docs/reference/policy.md."
)
@click.option(
    "--at",
    metavar="now|signing|INSTANT",
    default="now",
    show_default=True,
    help="Judge as of this instant (ISO 8601), or as of when each file was signed.",
)
@click.option("--json", "form", flag_value=_Form.JSON, help="Print the report as JSON.")
@click.option("--html", "form", flag_value=_Form.HTML, help="Print one HTML page.")
@click.option("--etsi", "form", flag_value=_Form.ETSI, help="Print ETSI TS 119 102-2 XML.")
@click.option(
    "--resume",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Ledger of what was judged: begun or taken up again.",
)
@click.option(
    "--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True, help="Language."
)
def command(
    *,
    files: tuple[Path, ...],
    anchors: tuple[str, ...],
    trust_lists: tuple[Path, ...],
    certificates: tuple[Path, ...],
    crls: tuple[Path, ...],
    ocsps: tuple[Path, ...],
    policy: Path | None,
    at: str,
    form: _Form | None,
    resume: Path | None,
    lang: str,
) -> int:
    """Judge FILES (or the files of a folder) and print the verdict of each signature and file.

    XML signatures and time-stamps are judged with the files beside them that they are over. Of a
    folder, what passed gets one line. Exit 0 when all passed, 1 when one failed or is
    indeterminate.
    """
    if resume and form in (_Form.HTML, _Form.ETSI):
        raise click.UsageError("--resume keeps reports for text and --json only")
    instant = _instant(at)
    given = given_of(
        TrustFiles(
            anchors=anchors,
            trust_lists=trust_lists,
            certificates=certificates,
            crls=crls,
            ocsps=ocsps,
            policy=policy,
        ),
        at=instant,
    )
    ledger = open_ledger(resume, given=given, at=instant) if resume else None
    found = find_files(files)
    form = form or _Form.TEXT
    is_bulk = any(path.is_dir() for path in files)
    wanted = Wanted(
        json=form is _Form.JSON,
        reports=form is not _Form.JSON,
        passed_reports=form is not _Form.TEXT or not is_bulk,
    )
    judged = judge_all(found, given=given, at=instant, ledger=ledger, wanted=wanted)
    if is_bulk:
        judged = _shown(judged, total=len(found))
    counts = _print(judged, form, is_bulk=is_bulk, language=Language(lang))
    if is_bulk:
        told = ", ".join(f"{counts[one]} {one.value}" for one in Answer)
        click.echo(f"lienthong: {len(found)} files: {told}", err=True)
    return 0 if counts[Answer.PASSED] == len(found) else 1


def _print(
    judged: Iterator[Judged], form: _Form, *, is_bulk: bool, language: Language
) -> Counter[Answer]:
    counts: Counter[Answer] = Counter()
    kept: list[Report] = []
    for one in judged:
        counts[one.answer] += 1
        if form is _Form.JSON:
            click.echo(one.json.decode())
        elif form is _Form.TEXT:
            click.echo(_text(one, is_bulk=is_bulk, language=language))
        elif one.report is not None:
            kept.append(one.report)
    if kept:
        _print_together(kept, form, language)
    return counts


def _print_together(reports: Sequence[Report], form: _Form, language: Language) -> None:
    if form is _Form.HTML:
        click.echo(html_of(reports, language=language))
    else:
        click.echo(etsi_of(reports, language=language).decode())


def _text(one: Judged, *, is_bulk: bool, language: Language) -> str:
    if one.report is None or (is_bulk and one.answer is Answer.PASSED):
        verdict = verdict_of(one.answer, language=language)
        return f"{one.name}: {verdict} ({one.answer.value})"
    return text_of(one.report, language=language)


def _shown(judged: Iterator[Judged], *, total: int) -> Iterator[Judged]:
    """Yield the same while a bar on the terminal moves; none where nobody looks on."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("lienthong"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield from progress.track(judged, total=total)


def _instant(text: str) -> datetime | AsOf:
    if text in (one.value for one in AsOf):
        return AsOf(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise click.BadParameter("expected an ISO 8601 instant", param_hint="--at") from exc
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
