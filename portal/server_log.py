"""Let the web server's own messages leave in the form of all others."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # ships no types

from exchange import logs
from exchange.settings import settings


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's log, handed on to the logging of this process."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - as inherited
        """Hand everything on; requests are not logged, a path may tell of a person."""
        super().setup(cfg)
        logs.configure(settings())
        for one in (self.error_log, self.access_log):
            one.handlers.clear()
        self.error_log.propagate = True
