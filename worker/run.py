"""`lienthong work`: boot the node, then run its worker processes, or work off what is due once."""

from __future__ import annotations

import sys

from dossier.errors import LienThongError, Misconfigured, Unavailable
from exchange import logs
from exchange.boot import boot


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 done, 1 refused, 2 misconfigured, 3 try later."""
    try:
        settings = boot()
        logs.configure(settings)
        # After the boot: these modules need Django's settings.
        from exchange import tracing
        from exchange.migrate import demand_schema
        from worker.children import burst
        from worker.supervisor import Supervisor

        tracing.configure(settings)
        demand_schema()
        if arguments == ["--burst"]:
            burst()
        else:
            Supervisor(settings).run()
    except LienThongError as exc:
        sys.stderr.write(f"lienthong: error: {exc}\n")
        return _exit_code(exc)
    return 0


def _exit_code(error: LienThongError) -> int:
    if isinstance(error, Misconfigured):
        return 2
    return 3 if isinstance(error, Unavailable) else 1
