"""The first start of many processes at once, and the one key of the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dossier.clock import VirtualClock
from exchange import logkey
from exchange.epoch import epoch_of
from exchange.errors import LogKeyDiffers
from storage import agencies, sql
from tests.builders.storage import AT

pytestmark = pytest.mark.usefixtures("database")
EPOCH, NEXT = "0123456789ab", "ba9876543210"


def test_processes_that_start_at_once_agree_on_the_epoch(
    in_threads: Callable[..., list[object]],
) -> None:
    found = in_threads(*[lambda: epoch_of(VirtualClock(at=AT))] * 6)
    assert set(found) == {agencies.node_value("epoch")}
    assert sql.the_row("SELECT COUNT(*) FROM log_pending")[0] == 1


def test_a_log_is_signed_with_one_key_until_its_epoch_ends(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    logkey.remember(logkey.own(here, epoch=EPOCH))
    with pytest.raises(LogKeyDiffers):
        logkey.own(there, epoch=EPOCH)
    assert not logkey.path_of(there).exists()  # none is made that nobody could use
    logkey.read(there)
    with pytest.raises(LogKeyDiffers):
        logkey.own(there, epoch=EPOCH)
    logkey.remember(logkey.own(there, epoch=NEXT))
    with pytest.raises(LogKeyDiffers):
        logkey.own(here, epoch=NEXT)
