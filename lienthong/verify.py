"""`lienthong verify`: judge signed files offline, trusting only the anchor that is given."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dossier.texts import Language
from exchange.verify import TrustFiles, json_of, judge_path, text_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
    "--cert", "certificates", multiple=True, type=_FILE, help="Issuing certificates, not believed."
)
@click.option("--crl", "crls", multiple=True, type=_FILE, help="A certificate revocation list.")
@click.option("--ocsp", "ocsps", multiple=True, type=_FILE, help="An OCSP response.")
@click.option("--at", metavar="INSTANT", help="Judge as of this instant (ISO 8601).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True, help="Language."
)
def command(
    *,
    files: tuple[Path, ...],
    anchors: tuple[str, ...],
    certificates: tuple[Path, ...],
    crls: tuple[Path, ...],
    ocsps: tuple[Path, ...],
    at: str | None,
    as_json: bool,
    lang: str,
) -> int:
    """Judge FILES (or the files of a folder) and print the verdict of each signature and file.

    Exit 0 when all of them passed, 1 when one failed or is indeterminate.
    """
    trusted = TrustFiles(anchors=anchors, certificates=certificates, crls=crls, ocsps=ocsps)
    instant = _instant(at)
    passed = True
    for path in _all(files):
        report = judge_path(path, trusted=trusted, at=instant)
        passed = passed and report.is_passed
        if as_json:
            click.echo(json_of(report).decode())
        else:
            click.echo(text_of(report, language=Language(lang)))
    return 0 if passed else 1


def _all(files: tuple[Path, ...]) -> list[Path]:
    """Return the files, and those of folders among them in the order of their names."""
    found: list[Path] = []
    for path in files:
        inside = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else []
        found += inside or [path]
    return found


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise click.BadParameter("expected an ISO 8601 instant", param_hint="--at") from exc
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
