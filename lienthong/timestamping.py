"""The options by which commands say whose time-stamps they take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from exchange.signfiles import KeyFiles, TsaAddress

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def tsa_options(command: _Command) -> _Command:
    """Add `--tsa`, `--tsa-key` and `--tsa-cert`."""
    for option in (
        click.option("--tsa-cert", type=_FILE, help="Its certificates in PEM."),
        click.option("--tsa-key", type=_FILE, help="Key of a time-stamp authority, instead."),
        click.option(
            "--tsa", metavar="URL", help="Time-stamp authority to ask (RFC 3161): level B-T."
        ),
    ):
        command = option(command)
    return command


def tsa_of(url: str | None, *, key: Path | None, cert: Path | None) -> KeyFiles | TsaAddress | None:
    """Return whose time-stamps are asked for, None when nobody's; raise `click.UsageError`."""
    if url is not None and key is not None:
        raise click.UsageError("expected --tsa or --tsa-key, got both")
    if url is None:
        return KeyFiles(key=key, certificates=cert, pin=None) if key else None
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise click.BadParameter("expected an http or https address", param_hint="--tsa")
    return TsaAddress(url=url)


def required_tsa(url: str | None, *, key: Path | None, cert: Path | None) -> KeyFiles | TsaAddress:
    """Return as `tsa_of` does; raise `click.UsageError` when nobody is named."""
    tsa = tsa_of(url, key=key, cert=cert)
    if tsa is None:
        raise click.UsageError("expected --tsa, or --tsa-key with --tsa-cert")
    return tsa
