"""The endpoint as gunicorn loads it in the tests: `tests.builders.soap_app:app(FOLDER)`."""

from __future__ import annotations

from pathlib import Path

from connectors.incoming import ServerCaps
from connectors.soap_server import SoapServer
from portal.deadlines import PatientWorker
from portal.soap import Patience, WireApp
from tests.builders.connectors import DiskSpool
from tests.builders.pull import KeepingReceiving, pull_operations


class ImpatientWorker(PatientWorker):
    """The worker of the tests, so that slow headers end soon."""

    header_seconds = 1.0


def app(folder: str) -> WireApp:
    """Return the WSGI application, impatient so that tests of slowness are short."""
    spool, kept = Path(folder) / "spool", Path(folder) / "kept"
    kept.mkdir(parents=True)
    spool.mkdir()
    receiving = KeepingReceiving(kept)
    server = SoapServer(
        receiving=receiving,
        spool=DiskSpool(spool),
        caps=ServerCaps(container_bytes=512 * 1024 * 1024),
        pull=pull_operations(receiving),
    )
    patience = Patience(grace_seconds=1.0, minimum_bytes_per_second=64 * 1024, total_seconds=60)
    return WireApp(server, patience=patience)
