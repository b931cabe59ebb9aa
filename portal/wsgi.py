"""The node as one WSGI application: `gunicorn portal.wsgi:application`.

Boots first and loads what needs a booted Django then. A node that is not ready to serve (no
directory, a database to be migrated) fails here, before the first request.
"""

from __future__ import annotations

from wsgiref.types import WSGIApplication

from exchange import logs
from exchange.boot import boot


def build() -> WSGIApplication:
    """Return the application: the paths of machines first, the portal everywhere else."""
    settings = boot(is_pooled=True)
    logs.configure(settings)
    from exchange import doorbell, tracing
    from exchange.edxml.endpoint import document_endpoint
    from exchange.metrics import metrics_endpoint
    from exchange.migrate import demand_schema
    from exchange.pki import ocsp_endpoint, tsa_endpoint
    from exchange.sweep import forget_connection
    from exchange.wiring import node, soap_endpoint
    from portal.front import Entrance, Front
    from portal.soap import WireApp

    tracing.configure(settings)
    doorbell.gather()
    demand_schema()
    here = node()
    wires = {
        "/soap": soap_endpoint(here),
        "/edxml": document_endpoint(here),
        "/tsa": tsa_endpoint(here),
        "/ocsp": ocsp_endpoint(here),
        "/metrics": metrics_endpoint(here),
    }
    # This thread serves nobody: what it keeps of the pool would be missing for those that do.
    forget_connection()
    served = {path: WireApp(endpoint) for path, endpoint in wires.items() if endpoint}
    return Entrance(pages=Front(here), wires=served)


application = build()  # the name that gunicorn loads; nothing but gunicorn imports this module
