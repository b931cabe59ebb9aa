"""`lienthong decision`: evaluate and show the decisions of DMN files; no node is needed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dossier.clock import SystemClock
from dossier.texts import Language
from exchange.decide import evaluate_files, lint_files, show_files

_FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE.dmn...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
_LANG = click.option(
    "--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True, help="Language."
)


@click.group("decision")
def decision() -> None:
    """Evaluate, show and lint decisions; the first FILE is asked, further ones are imported."""


@decision.command("evaluate")
@_FILES
@click.option("--decision", "name", metavar="NAME", help="A decision, knowledge model or service.")
@click.option(
    "--input", "inputs", metavar="FILE|JSON", default="{}", help="A JSON object with the inputs."
)
@click.option("--at", metavar="INSTANT", help="What now() and today() give (ISO 8601).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@_LANG
def evaluate(
    *,
    files: tuple[Path, ...],
    name: str | None,
    inputs: str,
    at: str | None,
    as_json: bool,
    lang: str,
) -> int:
    """Evaluate one decision, or all of the first FILE.

    Exit 0 with a sound result, 1 when a decision has a problem or the input is refused.
    """
    answer = evaluate_files(
        files, decision=name, inputs=inputs, at=_instant(at), language=Language(lang)
    )
    click.echo(answer.json if as_json else "\n".join(answer.lines))
    return 0 if answer.is_sound else 1


@decision.command("show")
@_FILES
def show(*, files: tuple[Path, ...]) -> int:
    """Draw the elements of the first FILE: requirements, expressions and tables."""
    click.echo("\n".join(show_files(files)))
    return 0


@decision.command("lint")
@_FILES
@_LANG
def lint(*, files: tuple[Path, ...], lang: str) -> int:
    """Report gaps, overlaps, unreachable rules, type errors and cycles.

    Exit 0 without findings, 1 with some.
    """
    lines = lint_files(files, language=Language(lang))
    click.echo("\n".join(lines), nl=bool(lines))
    return 1 if lines else 0


def _instant(text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise click.BadParameter("expected an ISO 8601 instant", param_hint="--at") from exc
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


command = decision
