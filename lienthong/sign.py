"""`lienthong sign` and `lienthong augment`: make signatures, and raise them to higher levels."""

from __future__ import annotations

from pathlib import Path

import click

from exchange.cosign import sign_again
from exchange.signfiles import (
    ROLES,
    KeyFiles,
    TokenKey,
    augment_path,
    needs_pin,
    sign_path_simply,
    sign_paths,
)
from exchange.verify import TrustFiles
from lienthong.timestamping import required_tsa, tsa_of, tsa_options

_SIMPLE_SUFFIXES = (".asics", ".scs")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("sign")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--key", type=_FILE, help="PKCS#8, or PKCS#12 without --cert.")
@click.option(
    "--pkcs11",
    "module",
    type=_FILE,
    help="The vendor's PKCS#11 module, instead of --key: sign with a token.",
)
@click.option("--token", metavar="LABEL", help="The token's label.")
@click.option("--key-label", metavar="LABEL", help="The label of the private key on it.")
@click.option("--cert", type=_FILE, help="Certificates in PEM, the signer's first.")
@click.option("--pin-file", type=_FILE, help="File with the PIN; asked for when the key needs it.")
@tsa_options
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="sealed",
    show_default=True,
)
@click.option("--add", "is_added", is_flag=True, help="Add a signature to a container.")
@click.option(
    "--container",
    type=click.Choice(["asic-e", "asic-s"]),
    help="The kind of container; by default asic-s for an output *.asics or *.scs, else asic-e.",
)
def sign(
    *,
    files: tuple[Path, ...],
    output: Path,
    key: Path | None,
    module: Path | None,
    token: str | None,
    key_label: str | None,
    cert: Path | None,
    pin_file: Path | None,
    tsa: str | None,
    tsa_key: Path | None,
    tsa_cert: Path | None,
    role: str,
    container: str | None,
    is_added: bool,
) -> None:
    """Sign FILES into one ASiC-E container, or one file into an ASiC-S container.

    With --add FILES is one ASiC-E container: it is written to OUTPUT with one more signature over
    the same files. OUTPUT may be the container itself.
    """
    is_simple = container == "asic-s" if container else output.suffix.lower() in _SIMPLE_SUFFIXES
    if is_simple and len(files) > 1:
        raise click.UsageError("expected one file for an ASiC-S container, got several")
    own: KeyFiles | TokenKey
    if key is not None and module is None:
        own = KeyFiles(key=key, certificates=cert, pin=_pin(key, cert, pin_file))
    elif key is None and module is not None and token and key_label:
        own = TokenKey(
            module=module,
            token=token,
            key=key_label,
            certificates=cert,
            pin=_token_pin(pin_file),
        )
    else:
        raise click.UsageError("expected --key, or --pkcs11 with --token and --key-label")
    stamped_by = tsa_of(tsa, key=tsa_key, cert=tsa_cert)
    if is_added:
        if len(files) > 1:
            raise click.UsageError("expected one container to add a signature to, got several")
        size = sign_again(files[0], output, key=own, tsa=stamped_by, role=role)
    elif is_simple:
        size = sign_path_simply(files[0], output, key=own, tsa=stamped_by, role=role)
    else:
        size = sign_paths(files, output, key=own, tsa=stamped_by, role=role)
    click.echo(f"lienthong: {output.name}: {size} bytes", err=True)


@click.command("augment")
@click.argument("file", type=_FILE)
@click.option("--to", type=click.Choice(["T", "LT", "LTA"]), required=True, help="The level.")
@tsa_options
@click.option("--anchor", "anchors", multiple=True, metavar="FILE|SHA256", help="Trust anchor.")
@click.option("--cert", "certificates", multiple=True, type=_FILE, help="Issuing certificates.")
@click.option("--crl", "crls", multiple=True, type=_FILE, help="A CRL; may be repeated.")
@click.option("--ocsp", "ocsps", multiple=True, type=_FILE, help="An OCSP response.")
def augment(
    *,
    file: Path,
    to: str,
    tsa: str | None,
    tsa_key: Path | None,
    tsa_cert: Path | None,
    anchors: tuple[str, ...],
    certificates: tuple[Path, ...],
    crls: tuple[Path, ...],
    ocsps: tuple[Path, ...],
) -> None:
    """Raise the signatures of FILE to a higher level, in place; no signed byte changes."""
    stamped_by = required_tsa(tsa, key=tsa_key, cert=tsa_cert)
    trusted = TrustFiles(anchors=anchors, certificates=certificates, crls=crls, ocsps=ocsps)
    size = augment_path(file, to=to, tsa=stamped_by, trusted=trusted)
    click.echo(f"lienthong: {file.name}: {size} bytes", err=True)


def _token_pin(pin_file: Path | None) -> bytes:
    if pin_file is not None:
        return pin_file.read_bytes().strip()
    return str(click.prompt("PIN", hide_input=True)).encode()


def _pin(key: Path, cert: Path | None, pin_file: Path | None) -> bytes | None:
    if pin_file is not None:
        return pin_file.read_bytes().strip()
    if needs_pin(key, certificates=cert):
        return str(click.prompt("PIN", hide_input=True)).encode()
    return None
