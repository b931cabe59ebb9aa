"""The procedures a node runs, found by version or by the digest of their folder.

A published definition never changes, so a loaded one is kept for the life of the process.
"""

from __future__ import annotations

import threading
from datetime import date

from dossier.envelope import Assurance, Contract
from dossier.ids import Sha256
from exchange.errors import ProcedureUnknown
from storage import definitions
from workflows.package import load_procedure
from workflows.procedure import Procedure


class Contracts:
    """Loads each published procedure once."""

    def __init__(self) -> None:
        self._loaded: dict[str, Procedure] = {}  # by digest of the folder
        self._packages: dict[tuple[str, str], Sha256] = {}  # by code and version
        self._lock = threading.Lock()

    def find(self, contract: Contract) -> Procedure | None:
        """Return the procedure of this name and version, if it has this very contract."""
        try:
            procedure = self.version(contract.procedure, contract.version)
        except ProcedureUnknown:
            return None
        return procedure if procedure.digest == contract.sha256 else None

    def get(self, package_sha256: str) -> Procedure:
        """Return the procedure of an instance that runs here; raise `ProcedureUnknown`."""
        with self._lock:
            if package_sha256 not in self._loaded:
                stored = definitions.find(package_sha256)
                if stored is None:
                    raise ProcedureUnknown(
                        "expected a published procedure", procedure=package_sha256[:12]
                    )
                self._loaded[package_sha256] = load_procedure(stored.files)
            return self._loaded[package_sha256]

    def version(self, code: str, version: str) -> Procedure:
        """Return a version of a procedure, such as a dossier's; raise `ProcedureUnknown`."""
        return self.get(self.package(code, version))

    def package(self, code: str, version: str) -> Sha256:
        """Return the digest of the folder of a version; raise `ProcedureUnknown`."""
        with self._lock:
            known = self._packages.get((code, version))
            if known is None:
                stored = definitions.find_version(code, version)
                if stored is None:
                    raise ProcedureUnknown("expected a published procedure", procedure=code)
                known = self._packages[code, version] = stored.package_sha256
            return known

    def effective(self, code: str, *, day: date) -> Procedure:
        """Return the version in force on that day; raise `ProcedureUnknown`."""
        stored = definitions.effective(code, day)
        if stored is None:
            raise ProcedureUnknown("expected a published procedure", procedure=code)
        return self.get(stored.package_sha256)

    def all_effective(self, *, day: date) -> list[Procedure]:
        """Return the version in force of each procedure, by code."""
        codes = sorted({head.procedure for head in definitions.list_definitions()})
        found = [definitions.effective(code, day) for code in codes]
        return [self.get(one.package_sha256) for one in found if one is not None]

    def minimum_assurance(self, contract: Contract, message_type: str) -> Assurance:
        """Return what the message type demands; sealed where this node does not know it."""
        procedure = self.find(contract)
        declared = procedure.messages.get(message_type) if procedure else None
        return Assurance(declared.assurance_minimum) if declared else Assurance.SEALED
