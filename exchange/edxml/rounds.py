"""The round that the workers make: fetch what waits at document services, report what changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from exchange.drained import Drained
from exchange.edxml.accounts import EdxmlConfiguration, read_configuration
from exchange.edxml.fetch import fetch_all
from exchange.edxml.post import PostOffice
from exchange.node import Node
from storage import rounds

_ROUND: Final = "edxml"


def make_round(node: Node) -> Drained:
    """Make a round if one is due; a service that does not answer is tried in the next one."""
    configuration = read_configuration(node.settings.edxml)
    if not configuration.accounts or not rounds.take(
        _ROUND, every=_every(configuration), at=node.now()
    ):
        return Drained(done=0, more=False)
    office = PostOffice(node, configuration)
    done = fetch_all(node, configuration).done + office.report_all().done
    return Drained(done=done, more=False)


def _every(configuration: EdxmlConfiguration) -> timedelta:
    return timedelta(seconds=configuration.poll_seconds)
