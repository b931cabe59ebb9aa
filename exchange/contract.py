"""The procedures a node runs, found by the digest of their `process.bpmn` or by version.

A published definition never changes, so a loaded one is kept for the life of the process.
"""

from __future__ import annotations

import threading
from datetime import date

from dossier.envelope import Assurance, Contract
from exchange.errors import ProcedureUnknown
from storage import definitions
from workflows.package import load_procedure
from workflows.procedure import Procedure


class Contracts:
    """Loads each published procedure once."""

    def __init__(self) -> None:
        self._loaded: dict[str, Procedure] = {}
        self._lock = threading.Lock()

    def find(self, contract: Contract) -> Procedure | None:
        """Return the procedure with this very digest, if it also bears this name and version."""
        procedure = self.by_digest(contract.sha256)
        if procedure is None:
            return None
        named = (procedure.code, procedure.version) == (contract.procedure, contract.version)
        return procedure if named else None

    def by_digest(self, sha256: str) -> Procedure | None:
        """Return the procedure whose `process.bpmn` has this digest."""
        with self._lock:
            if sha256 not in self._loaded:
                stored = definitions.find(sha256)
                if stored is None:
                    return None
                self._loaded[sha256] = load_procedure(stored.files)
            return self._loaded[sha256]

    def get(self, sha256: str) -> Procedure:
        """Return the procedure of an instance that runs here; raise `ProcedureUnknown`."""
        procedure = self.by_digest(sha256)
        if procedure is None:
            raise ProcedureUnknown("expected a published procedure", procedure=sha256[:12])
        return procedure

    def effective(self, code: str, *, day: date) -> Procedure:
        """Return the version in force on that day; raise `ProcedureUnknown`."""
        stored = definitions.effective(code, day)
        if stored is None:
            raise ProcedureUnknown("expected a published procedure", procedure=code)
        return self.get(stored.sha256)

    def all_effective(self, *, day: date) -> list[Procedure]:
        """Return the version in force of each procedure, by code."""
        codes = sorted({head.procedure for head in definitions.list_definitions()})
        found = [definitions.effective(code, day) for code in codes]
        return [self.get(one.sha256) for one in found if one is not None]

    def minimum_assurance(self, contract: Contract, message_type: str) -> Assurance:
        """Return what the message type demands; sealed where this node does not know it."""
        procedure = self.find(contract)
        declared = procedure.messages.get(message_type) if procedure else None
        return Assurance(declared.assurance_minimum) if declared else Assurance.SEALED
