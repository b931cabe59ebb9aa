"""One node as the use cases see it: its clock, stores, seals, trust and contracts.

Built once per process by `exchange.wiring`; use cases are handed it and reach nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from connectors.webhooks import WebhookSender
from dossier.calendar import Calendar, local_day
from dossier.clock import Clock
from dossier.directory import Directory
from dossier.ids import AgencyCode
from dossier.wire import Sending
from exchange.contract import Contracts
from exchange.errors import SealMissing
from exchange.kept import KeptInstances
from exchange.rules import Rules
from exchange.services import ServiceBook, Services
from exchange.settings import Settings
from signing.keys import Signer
from signing.policy import Trust
from signing.tsa import Timestamper
from storage.blobs import Blobs
from storage.spool import FileSpool

_HELD_SECONDS: Final = 0.5


class TrustSource(Protocol):
    """Where anchors, certificates and CRLs come from; read anew when the files change."""

    def trust(self) -> Trust:
        """Return the trust in force."""


class DirectorySource(Protocol):
    """Where the directory in force comes from."""

    def directory(self) -> Directory:
        """Return the newest imported edition; raise `DirectoryMissing` without one."""
        ...


class Node:
    """The composition of one node; everything in it may be used from several threads."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        blobs: Blobs,
        spool: FileSpool,
        seals: Mapping[AgencyCode, Signer],
        timestamper: Timestamper,
        trust: TrustSource,
        directory: DirectorySource,
        contracts: Contracts,
        rules: Rules,
        sender: Callable[[], Sending],
        neighbour: Callable[[Node], Sending],
        notifier: Callable[[], WebhookSender],
        services: ServiceBook,
        epoch: str,
        owner: str,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.blobs = blobs
        self.spool = spool
        self.timestamper = timestamper
        self.epoch = epoch  # of this node's log and message ids; changes after a restore
        self.owner = owner  # of leases: host and process
        self._seals = seals
        self._trust = trust
        self._directory = directory
        self._contracts = contracts
        self._rules = rules
        self._services = services
        self._make_sender = sender
        self._make_neighbour = neighbour
        self._make_notifier = notifier
        self._sender: Sending | None = None
        self._notifier: WebhookSender | None = None
        self._neighbour: Sending | None = None
        self._lock = threading.Lock()
        self._held = threading.local()
        self.kept = KeptInstances()

    def now(self) -> datetime:
        """Return the instant of this node's clock."""
        return self.clock.now()

    def rules(self) -> Rules:
        """Return the rule packs of this node."""
        return self._rules

    def calendar(self, pack: str = "") -> Calendar:
        """Return the calendar of the pack that a dossier pins; without one, of today's."""
        if pack:
            return self._rules.get(pack).calendar
        return self._rules.effective(local_day(self.now())).calendar

    def sending(self, partner: str) -> Sending:
        """Return what delivers to that partner: SOAP, or this node's own reception.

        Agencies on one node exchange the same sealed container through the same use case.
        """
        with self._lock:
            if self.hosted(partner) is not None:
                self._neighbour = self._neighbour or self._make_neighbour(self)
                return self._neighbour
            self._sender = self._sender or self._make_sender()
            return self._sender

    def notifier(self) -> WebhookSender:
        """Return what tells foreign systems of events."""
        with self._lock:
            self._notifier = self._notifier or self._make_notifier()
            return self._notifier

    def trust(self) -> Trust:
        """Return the trust in force."""
        return self._trust.trust()

    def directory(self) -> Directory:
        """Return the directory in force."""
        held = self._held
        if time.monotonic() >= getattr(held, "until", 0.0):
            return self._directory.directory()
        if held.directory is None:
            held.directory = self._directory.directory()
        found: Directory = held.directory
        return found

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Let this thread ask only once what is in force and whose keys it has, for one request.

        What takes longer asks again: an edition that takes a seal back counts from its import.
        """
        self._held.directory = self._held.codes = None
        self._held.until = time.monotonic() + _HELD_SECONDS
        try:
            yield
        finally:
            self._held.until = 0.0

    def contracts(self) -> Contracts:
        """Return the procedures this node runs."""
        return self._contracts

    def services(self) -> Services:
        """Return the foreign services this node may call; raise `ForeignCallMalformed`."""
        return self._services.services()

    def hosted(self, agency: str, *, directory: Directory | None = None) -> AgencyCode | None:
        """Return the code under which this node holds a seal for the agency, or None.

        A merged agency is answered for by its successor. Who has read the directory already for
        what is being done hands it over: each reading asks the database which one is in force.
        """
        directory = directory or self.directory()
        found = directory.find(agency)
        in_office = directory.successor_of(agency, at=self.now())
        names = [agency]
        for one in (found, in_office):
            names += (one.code, *one.aliases) if one else ()
        folded = {name.casefold() for name in names}
        return next((code for code in self._codes() if code.casefold() in folded), None)

    def _codes(self) -> tuple[AgencyCode, ...]:
        held = self._held
        if time.monotonic() >= getattr(held, "until", 0.0):
            return tuple(self._seals)
        if held.codes is None:
            held.codes = tuple(self._seals)
        found: tuple[AgencyCode, ...] = held.codes
        return found

    def hosted_agencies(self) -> tuple[AgencyCode, ...]:
        """Return the agencies whose seals this node holds."""
        return tuple(self._seals)

    def seal(self, agency: str, *, directory: Directory | None = None) -> Signer:
        """Return the sealing key of a hosted agency; raise `SealMissing`. See `hosted`."""
        code = self.hosted(agency, directory=directory)
        if code is None:
            raise SealMissing("expected a sealing key of the agency", agency=agency)
        return self._seals[code]

    def own_seal(self, code: AgencyCode) -> Signer:
        """Return the sealing key of a code that `hosted` returned."""
        return self._seals[code]

    def person_key(self, username: str) -> tuple[Path, Path]:
        """Return where a person's encrypted key and certificates lie."""
        folder = self.settings.keys_dir / "persons"
        return folder / f"{username}.key.pem", folder / f"{username}.crt.pem"
