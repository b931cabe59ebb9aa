"""`lienthong external`: sign in two steps with a key that is elsewhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import click

from exchange.cosign import complete, prepare
from exchange.signfiles import ROLES, KeyFiles

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)


@click.group("external")
def command() -> None:
    """Sign with a key that is elsewhere: a browser's agent, a remote service, a phone."""


@command.command("prepare")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--cert", required=True, type=_FILE, help="The signer's certificate.")
@click.option("--state", required=True, type=_NEW, help="Where to keep what completes it.")
@click.option("--role", type=click.Choice(ROLES), default="approved", show_default=True)
@click.option("--octets", type=_NEW, help="Also write the octets to sign, for keys that hash.")
def first(
    *, files: tuple[Path, ...], cert: Path, state: Path, role: str, octets: Path | None
) -> None:
    """Print the digest to sign over FILES, or over those of one container, as JSON."""
    asked = prepare(files, state, certificate=cert, role=role)
    if octets is not None:
        octets.write_bytes(asked.octets)
    fields = {"algorithm": asked.algorithm, "digest": base64.b64encode(asked.digest).decode()}
    click.echo(json.dumps(fields))


@command.command("complete")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--state", required=True, type=_FILE, help="What `prepare` kept.")
@click.option("--signature", required=True, type=_FILE, help="The value: raw, DER or base64.")
@click.option("-o", "--output", required=True, type=_NEW)
@click.option("--tsa-key", type=_FILE, help="Key of a time-stamp authority: level B-T.")
@click.option("--tsa-cert", type=_FILE, help="Its certificates in PEM.")
def second(
    *,
    files: tuple[Path, ...],
    state: Path,
    signature: Path,
    output: Path,
    tsa_key: Path | None,
    tsa_cert: Path | None,
) -> None:
    """Write the container of the same FILES with the value that came back."""
    tsa = KeyFiles(key=tsa_key, certificates=tsa_cert, pin=None) if tsa_key else None
    size = complete(files, output, state=state, signature=signature.read_bytes(), tsa=tsa)
    click.echo(f"lienthong: {output.name}: {size} bytes", err=True)
