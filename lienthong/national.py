"""`lienthong national`: what national portals are told of dossiers, and a portal to try it on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import click

from dossier.texts import Language, spell
from dossier.wire import WireEndpoint, WireRequest


@click.group("national")
def command() -> None:
    """National public-service portals."""


@command.command("sync")
@click.option("--dry-run", is_flag=True, help="Print what would change, tell nobody.")
@click.option("--destination", default="", metavar="NAME", help="One portal; all without it.")
@click.option("--dossier", default="", metavar="CODE", help="One dossier, even if it was told.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (with --dry-run).")
def sync(*, dry_run: bool, destination: str, dossier: str, as_json: bool) -> int:
    """Tell the portals now what they do not know yet; the workers do so by themselves.

    Exit 1 when a dossier could not be told.
    """
    from exchange.boot import boot  # noqa: PLC0415 - `demo` needs no database

    boot()
    from exchange.national import sync as portals  # noqa: PLC0415 - after the boot
    from exchange.wiring import node  # noqa: PLC0415 - after the boot

    here = node()
    for one, only in portals.chosen(here, destination, dossier):
        if not dry_run:
            told = portals.tell_all(here, one, only=only)
            click.echo(f"lienthong: {one.name} was told of {told} dossiers", err=True)
            continue
        for change in portals.preview(here, one, only=only):
            if as_json:
                click.echo(json.dumps(portals.as_json(change), ensure_ascii=False))
                continue
            click.echo(f"{change.destination}\t{change.code}")
            for line in change.differences:
                click.echo(f"  {line.name}: {line.before or '–'} → {line.after or '–'}")
            for step in change.steps:
                at = spell(step.at, Language.VI)
                click.echo(f"  + {at} {step.content} ({step.officer})")
    failing = [] if dry_run else [one for one in portals.queue_states(here) if one.failing]
    for state in failing:
        click.echo(f"lienthong: {state.destination}: {_shown(state.failing)}", err=True)
    return 1 if failing else 0


@command.command("status")
def status() -> None:
    """Print how far each portal is behind, and what could not be told."""
    from exchange.boot import boot  # noqa: PLC0415 - `demo` needs no database

    boot()
    from exchange.national.sync import queue_states  # noqa: PLC0415 - after the boot
    from exchange.wiring import node  # noqa: PLC0415 - after the boot

    for one in queue_states(node()):
        click.echo(f"{one.destination}\t{one.waiting} waiting\t{len(one.failing)} failing")
        for code, error in one.failing:
            click.echo(f"  {code}\t{error}")


@command.command("demo")
@click.option("--flow", type=click.Choice(["older", "newer"]), default="older", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8099, show_default=True)
@click.option("--account", default="demo", show_default=True, help="Username or client_id.")
@click.option("--secret", default="demo", show_default=True, help="Password or client_secret.")
@click.option("--agency", default="H08", show_default=True, help="madonvi.")
def demo(*, flow: str, port: int, account: str, secret: str, agency: str) -> None:
    """Serve a portal on this machine that keeps what it is told in memory, until interrupted."""
    from exchange.national.configuration import Flow  # noqa: PLC0415 - loads connectors
    from exchange.national.demo import demo_portal  # noqa: PLC0415 - loads connectors

    endpoint = demo_portal(Flow(flow), account=account, secret=secret, agency=agency)
    with ThreadingHTTPServer(("127.0.0.1", port), _bridge(endpoint)) as server:
        click.echo(f"lienthong: {flow} portal at http://127.0.0.1:{server.server_port}", err=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("lienthong: portal stopped", err=True)


def _shown(failing: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{code} ({error})" for code, error in failing)


def _bridge(endpoint: WireEndpoint) -> type[BaseHTTPRequestHandler]:
    class Bridge(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            path, _, query = self.path.partition("?")
            left = _Left(self.rfile, int(self.headers.get("Content-Length") or 0))
            reply = endpoint(
                WireRequest(
                    method=method,
                    path=path,
                    query=query,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    stream=cast(Any, left),  # only `read` is ever called
                    peer=str(self.client_address[0]),
                )
            )
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for chunk in reply.body:
                self.wfile.write(chunk)

    return Bridge


class _Left:
    """As much of a connection as the request announced."""

    def __init__(self, stream: Any, size_bytes: int) -> None:  # noqa: ANN401 - socketserver's own
        self._stream = stream
        self._left = size_bytes

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, b"" at the end."""
        chunk: bytes = self._stream.read(min(size, self._left)) if self._left else b""
        self._left -= len(chunk)
        return chunk
