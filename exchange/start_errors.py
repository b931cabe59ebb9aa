"""What refuses to open dossiers by themselves."""

from __future__ import annotations

from dossier.errors import Rejected


class SignalChain(Rejected):
    """Dossiers open one another by signals without an end."""

    code = "signal_chain"
