"""`lienthong edxml`: read and write edXML files, and tell senders what became of their letters."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dossier.clock import SystemClock
from dossier.texts import Language, render
from exchange.edxml.files import (
    LetterDraft,
    StatusDraft,
    describe,
    status_codes,
    write_letter_file,
    write_status_file,
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TARGET = click.Path(dir_okay=False, path_type=Path)


@click.group("edxml")
def command() -> None:
    """EdXML files, dialects A, B and C."""


@command.command("read")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print everything that was read, as JSON.")
@click.option(
    "--extract",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the attachments into this folder.",
)
@click.option(
    "--content-type",
    default="",
    metavar="TYPE",
    help="Content-Type that FILE travelled with, for dialect A in MIME.",
)
@click.option("--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True)
def read(*, file: Path, as_json: bool, extract: Path | None, content_type: str, lang: str) -> None:
    """Read FILE, tell what it says and every deviation that was put up with."""
    described = describe(file.read_bytes(), content_type=content_type)
    if extract:
        extract.mkdir(parents=True, exist_ok=True)
        for name, content in described.files:
            (extract / name).write_bytes(content)
    if as_json:
        click.echo(json.dumps(described.as_json(), ensure_ascii=False, indent=2))
        return
    for name, value in described.lines:
        click.echo(f"{name}: {value}")
    for repair in described.repairs:
        click.echo(f"! {render('repair', repair, Language(lang))}", err=True)


@command.command("write")
@click.argument("target", type=_TARGET)
@click.option("--dialect", type=click.Choice(["a", "b"]), default="b", show_default=True)
@click.option("--from", "sender", required=True, metavar="ORGAN", help="OrganId of the sender.")
@click.option("--from-name", "sender_name", default="", help="Name of the sender.")
@click.option(
    "--to", "to", required=True, multiple=True, metavar="ORGAN", help="OrganId, repeated."
)
@click.option("--number", required=True, metavar="NUMBER/NOTATION", help="Such as 512/UBND-NC.")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Of issue; today without it.")
@click.option("--subject", required=True, help="Trích yếu.")
@click.option("--content", default="", help="In a few sentences.")
@click.option("--place", default="", help="Of issue.")
@click.option("--type-name", default="", help="Kind of letter, such as Công văn.")
@click.option("--signer", default="", help="Full name of who signed.")
@click.option("--signer-position", default="", help="Position of who signed.")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), help="When an answer is due.")
@click.option("--priority", type=click.Choice(list("01234")), default="0", help="0 to 4.")
@click.option("--to-place", multiple=True, help="Nơi nhận, repeated.")
@click.option("--answers", default="", metavar="DOCUMENT-ID", help="The letter this one answers.")
@click.option(
    "--business",
    type=click.Choice(["new", "revoke", "update", "replace"]),
    default="new",
    show_default=True,
    help="What the letter does to the one that --about names.",
)
@click.option("--about", default="", metavar="DOCUMENT-ID", help="The letter that is meant.")
@click.option("--reason", default="", help="Why it is revoked, changed or replaced.")
@click.option("--attach", multiple=True, type=_FILE, help="A file to travel with it; repeated.")
def write(**given: object) -> None:
    """Write a letter to TARGET.

    Dialect A is MIME: its Content-Type is printed, since it belongs to the HTTP header.
    """
    target = given.pop("target")
    if not isinstance(target, Path):
        raise click.UsageError("expected a file to write to")
    attached = given.pop("attach")
    files = attached if isinstance(attached, tuple) else ()
    draft = LetterDraft.of(given, files=[(one.name, one.read_bytes()) for one in files])
    written = write_letter_file(draft, at=SystemClock().now())
    target.write_bytes(written.content)
    click.echo(f"{written.document_id}\t{written.content_type}")


@command.command("status")
@click.argument("target", type=_TARGET)
@click.option("--from", "sender", required=True, metavar="ORGAN", help="Who reports.")
@click.option("--to", required=True, metavar="ORGAN", help="Who sent the letter.")
@click.option("--about", required=True, metavar="DOCUMENT-ID", help="The letter that is meant.")
@click.option("--code", required=True, type=click.Choice(status_codes()), help="Status code.")
@click.option("--description", default="", help="In words.")
@click.option("--dialect", type=click.Choice(["a", "b"]), default="b", show_default=True)
def status(
    *, target: Path, sender: str, to: str, about: str, code: str, description: str, dialect: str
) -> None:
    """Write a status file to TARGET; `report` sends one for a letter that this node received."""
    draft = StatusDraft(
        sender=sender, to=to, about=about, code=code, description=description, dialect=dialect
    )
    written = write_status_file(draft, at=SystemClock().now())
    target.write_bytes(written.content)
    click.echo(f"{written.document_id}\t{written.content_type}")


@command.command("report")
@click.argument("about", metavar="DOCUMENT-ID")
@click.option("--code", required=True, type=click.Choice(status_codes()), help="Status code.")
@click.option("--description", default="", help="In words.")
@click.option("--agency", default="", help="Which of ours speaks, if the letter came to several.")
def report(*, about: str, code: str, description: str, agency: str) -> None:
    """Give a letter that this node received a status, and tell its sender."""
    from exchange.boot import boot  # noqa: PLC0415 - only this verb needs the database

    boot()
    from exchange.edxml.post import report_by_hand  # noqa: PLC0415 - after the boot
    from exchange.wiring import node  # noqa: PLC0415 - after the boot

    organ = report_by_hand(node(), about, code, description=description, agency=agency)
    click.echo(f"lienthong: {organ} is told {code}", err=True)
