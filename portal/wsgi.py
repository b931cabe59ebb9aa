"""The node as one WSGI application: `gunicorn portal.wsgi:application`.

Boots first and loads what needs a booted Django then. A node that is not ready to serve (no
directory, a database to be migrated) fails here, before the first request.
"""

from __future__ import annotations

from wsgiref.types import WSGIApplication

from exchange.boot import boot


def build() -> WSGIApplication:
    """Return the application: the wire below `/soap`, the portal everywhere else."""
    boot()
    from exchange.wiring import node, soap_endpoint
    from portal.front import Entrance, Front
    from portal.soap import WireApp

    here = node()
    return Entrance(pages=Front(here), wires={"/soap": WireApp(soap_endpoint(here))})


application = build()  # the name that gunicorn loads; nothing but gunicorn imports this module
