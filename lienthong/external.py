"""`lienthong external`: sign in two steps with a key that is elsewhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import click

from exchange.cosign import complete, prepare
from exchange.signfiles import ROLES
from lienthong.timestamping import tsa_of, tsa_options

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
@tsa_options
def second(
    *,
    files: tuple[Path, ...],
    state: Path,
    signature: Path,
    output: Path,
    tsa: str | None,
    tsa_key: Path | None,
    tsa_cert: Path | None,
) -> None:
    """Write the container of the same FILES with the value that came back."""
    stamped_by = tsa_of(tsa, key=tsa_key, cert=tsa_cert)
    value = signature.read_bytes()
    size = complete(files, output, state=state, signature=value, tsa=stamped_by)
    click.echo(f"lienthong: {output.name}: {size} bytes", err=True)
