"""A PostgreSQL cluster of the tests' own: fresh, on loopback, gone afterwards.

The server refuses to run as root, so root starts it as the user that Debian's package made.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATABASE = "lienthong"
_START_SECONDS = 30


@contextmanager
def postgresql_cluster(*, durable: bool = False, options: str = "") -> Iterator[str]:
    """Yield the URL of an empty database on a new cluster; `durable` keeps fsync on."""
    owner = _unprivileged_user()
    room = Path(tempfile.mkdtemp(prefix="lt-pg-"))
    if owner is not None:
        shutil.chown(room, owner.pw_uid)
    password = secrets.token_urlsafe(16)
    port = _free_port()
    try:
        _initialise(room, owner=owner, password=password)
        _run(_start_command(room, port=port, durable=durable, more=options), owner=owner)
        try:
            address = f"postgresql://postgres:{password}@127.0.0.1:{port}"
            _run(
                [_program("createdb"), f"--maintenance-db={address}/postgres", DATABASE],
                owner=owner,
            )
            yield f"{address}/{DATABASE}"
        finally:
            _run([_program("pg_ctl"), "stop", "-D", str(room / "data"), "-m", "fast"], owner=owner)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def restart_postgresql(data: Path) -> None:
    """End the server of that data folder without a checkpoint, and start it as it was started."""
    command = [_program("pg_ctl"), "restart", "-D", str(data), "-m", "immediate", "-w"]
    _run([*command, "-l", str(data.parent / "log")], owner=_unprivileged_user())


def _initialise(room: Path, *, owner: pwd.struct_passwd | None, password: str) -> None:
    secret = room / "password"
    secret.write_text(password)
    if owner is not None:
        shutil.chown(secret, owner.pw_uid)
    _run(
        [
            *(_program("initdb"), "-D", str(room / "data"), "--username=postgres"),
            *("--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"),
            *("--encoding=UTF8", "--locale=C.UTF-8"),
        ],
        owner=owner,
    )


def _start_command(room: Path, *, port: int, durable: bool, more: str) -> list[str]:
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {room} -c max_connections=100 {more}"
    if not durable:
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    return [
        *(_program("pg_ctl"), "start", "-D", str(room / "data"), "-l", str(room / "log")),
        *("-w", "-t", str(_START_SECONDS), "-o", options),
    ]


def _unprivileged_user() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def _program(name: str) -> str:
    """Return the program of the newest version: Debian keeps the servers' programs off PATH."""

    def version(path: Path) -> int:
        return int(path.parts[-3]) if path.parts[-3].isdigit() else 0

    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=version)
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"expected the program {name}; Debian's package is postgresql")
    return path


def _run(command: list[str], *, owner: pwd.struct_passwd | None) -> None:
    # A server that pg_ctl starts inherits the output, so a pipe would never close: use a file.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
            check=False,
        )
        output.seek(0)
        said = output.read().decode(errors="replace")
    if done.returncode:
        raise RuntimeError(f"expected {command[0]} to succeed, got {done.returncode}: {said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
