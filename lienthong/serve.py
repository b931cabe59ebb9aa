"""`lienthong serve`: the node's web processes, by gunicorn with threads."""

from __future__ import annotations

import os
import socket
import sys

import click

from exchange.settings import settings
from lienthong.errors import PortTaken


@click.command("serve")
@click.option("--threads", default=8, show_default=True, help="Threads per web process.")
@click.option("--processes", default=1, show_default=True, help="Web processes.")
def command(threads: int, processes: int) -> None:
    """Serve the portal, the SOAP endpoint and the PKI endpoints of this node."""
    here = settings()
    refuse_taken_port(here.bind, here.port)
    arguments = [
        sys.executable,
        "-m",
        "gunicorn",
        "--bind",
        f"{here.bind}:{here.port}",
        "--worker-class",
        "portal.deadlines.PatientWorker",
        "--limit-request-fields",
        "64",
        "--limit-request-field_size",
        "8190",
        "--workers",
        str(processes),
        "--threads",
        str(threads),
        "--timeout",
        "120",
        "--graceful-timeout",
        "10",
        "--no-control-socket",
        "--logger-class",
        "portal.server_log.ServerLog",
        "--log-level",
        "warning",
        "portal.wsgi:application",
    ]
    os.execv(sys.executable, arguments)  # noqa: S606 - our own interpreter, fixed arguments


def refuse_taken_port(bind: str, port: int) -> None:
    """Raise `PortTaken` when the port cannot be had."""
    with socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as exc:
            raise PortTaken(
                f"expected port {port} on {bind} to be free, got {exc.strerror}",
                hint="set LIENTHONG_PORT, or for the demo: make run ARGS='--port 9000'",
                port=port,
                bind=bind,
            ) from exc
