"""The verbs by which an operator puts a running dossier right: look at tokens, repair one."""

from __future__ import annotations

import json
from typing import Any, Final

import click

from dossier.canonical import Json
from dossier.repair import Effect, Repair, RepairKind, RepairPage, TokenPlace
from dossier.texts import Language, render
from exchange import repair
from exchange.queries.repair_page import repair_pages
from lienthong.person import BY, PASSWORD, person

LANG: Final = click.option(
    "--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True, help="Language."
)
JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("tokens")
@click.argument("code")
@BY
@PASSWORD
@JSON
@LANG
def tokens(code: str, by: str, password: Any, as_json: bool, lang: str) -> None:  # noqa: ANN401 - click's file
    """Print where the process of dossier CODE stands, and where each token may go."""
    node, actor = person(by, password)
    pages = repair_pages(node, actor, repair.find(node, actor, code))
    if as_json:
        found: list[Json] = [_instance(page) for page in pages]
        click.echo(json.dumps({"instances": found}, ensure_ascii=False, indent=2))
        return
    for page in pages:
        for token in page.tokens:
            state = render("token_state", token.state, Language(lang))
            name = token.name[lang]
            reads = f" [{', '.join(token.names_read)}]" if token.names_read else ""
            code_of = f" {token.code}" if token.code else ""
            click.echo(f"{token.id}\t{token.element_id}\t{name}\t{state}{code_of}{reads}")


@click.command("repair")
@click.argument("code")
@click.option("--token", required=True, help="Which token, as `dossier tokens` prints it.")
@click.option("--retry", is_flag=True, help="Try again what an incident stopped.")
@click.option("--move", metavar="ELEMENT", default="", help="Put the token before another step.")
@click.option("--back", metavar="ELEMENT", default="", help="Send it back to an earlier step.")
@click.option("--skip", is_flag=True, help="Leave the step out.")
@click.option("--reason", required=True, help="Why; it stays on record.")
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@BY
@PASSWORD
@LANG
def repair_token(
    code: str,
    token: str,
    retry: bool,
    move: str,
    back: str,
    skip: bool,
    reason: str,
    dry_run: bool,
    by: str,
    password: Any,  # noqa: ANN401 - click's file
    lang: str,
) -> None:
    """Retry, move, send back or skip one token of dossier CODE."""
    kind = _kind(retry=retry, move=move, back=back, skip=skip)
    node, actor = person(by, password)
    pages = repair_pages(node, actor, repair.find(node, actor, code))
    page = next((one for one in pages if token.startswith(f"{one.instance}:")), pages[0])
    order = Repair(kind=kind, token=token, to=move or back, reason=reason)
    for effect in repair.preview(node, actor, page.instance, order):
        click.echo(say(effect, Language(lang)))
    if not dry_run:
        repair.carry_out(node, actor, page.instance, order)


def say(effect: Effect, language: Language) -> str:
    """Return the sentence of one effect."""
    name = effect.name[language.value] or effect.element_id
    return render("effect", effect.what, language, element=name)


def _kind(*, retry: bool, move: str, back: str, skip: bool) -> RepairKind:
    given = {
        RepairKind.RETRY: retry,
        RepairKind.MOVE: bool(move),
        RepairKind.BACK: bool(back),
        RepairKind.SKIP: skip,
    }
    chosen = [kind for kind, wanted in given.items() if wanted]
    if len(chosen) != 1:
        raise click.UsageError("expected exactly one of --retry, --move, --back, --skip")
    return chosen[0]


def _instance(page: RepairPage) -> Json:
    return {
        "instance": str(page.instance),
        "role": page.role,
        "version": page.version,
        "halted": page.is_halted,
        "tokens": [_token(one) for one in page.tokens],
    }


def _token(token: TokenPlace) -> Json:
    return {
        "id": token.id,
        "element": token.element_id,
        "name": dict(token.name),
        "state": token.state,
        "incident": token.code,
        "reads": list(token.names_read),
        "instances": token.instances,
        "can_skip": token.can_skip,
        "targets": [one.element_id for one in token.targets],
        "done_before": [one.element_id for one in token.done_before],
    }
