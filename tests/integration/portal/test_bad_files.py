"""A stored file that is missing or damaged: named, counted, and put back from a backup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from connectors.errors import PartnerUnavailable
from dossier.model import MessageState
from dossier.wire import SendHints
from exchange import backup, mending
from storage import circuits, documents, messages, outbox
from tests.builders.exchange import OneNode
from tests.integration.portal.conftest import Enter

HOA_BINH = "000.00.00.H28"


class Away:
    """A partner that does not answer."""

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        raise PartnerUnavailable("expected an answer")


def place(one: OneNode, sha256: str) -> Path:
    return one.node.settings.blob_dir / sha256[:2] / sha256[2:]


def lose(path: Path) -> None:
    path.unlink()


def damage(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def met(code: str) -> float:
    return REGISTRY.get_sample_value("lienthong_stored_files_bad_total", {"code": code}) or 0.0


CASES = pytest.mark.parametrize(
    ("harm", "error"), [(lose, "blob_missing"), (damage, "blob_corrupt")], ids=["lost", "damaged"]
)


@CASES
def test_a_message_waits_for_its_file_and_leaves_when_it_is_back(
    one: OneNode,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    harm: Callable[[Path], None],
    error: str,
) -> None:
    with monkeypatch.context() as away:
        away.setattr(one.node, "sending", lambda _partner: Away())
        code = one.send_letter()
    (letter,) = outbox.of_dossier(one.sides(code)[HOA_BINH].id)
    assert letter.message.container_sha256 is not None
    kept = tmp_path / "node.tar"
    backup.back_up(one.node.settings, kept, at=one.node.now(), progress=lambda *_: None)
    harm(place(one, letter.message.container_sha256))
    before, blamed = met(error), circuits.all_circuits()
    one.later(timedelta(hours=1))
    (waiting,) = outbox.of_dossier(one.sides(code)[HOA_BINH].id)
    assert (waiting.message.state, waiting.message.last_error) == (MessageState.NEW, error)
    assert met(error) > before
    assert circuits.all_circuits() == blamed  # the partner is not, for what is ours
    found = [bad for bad in mending.examine(one.node.settings) if bad.error]
    assert [(bad.sha256, bad.error) for bad in found] == [(letter.message.container_sha256, error)]
    mended = [bad for bad in mending.examine(one.node.settings, backup=kept) if bad.error]
    assert [bad.is_mended for bad in mended] == [True]
    one.later(timedelta(hours=1))
    (sent,) = outbox.of_dossier(one.sides(code)[HOA_BINH].id)
    assert sent.message.state is MessageState.SENT
    assert "register_letter" in one.open_tasks(code)


@CASES
def test_a_person_is_told_in_words_and_the_rest_of_the_page_is_there(
    one: OneNode, enter: Enter, harm: Callable[[Path], None], error: str
) -> None:
    code = one.send_letter()
    dossier = one.sides(code)[HOA_BINH].id
    person = enter("hb.chuyenvien")
    page = f"/dossiers/{dossier}"
    link = person.get(page).having("data-document")[0].attributes["data-document"]
    held = {str(document.id): document for document in documents.of_dossier(dossier)}
    stored = place(one, held[link].sha256)
    content = stored.read_bytes()
    harm(stored)
    before = met(error)
    told = person.get(f"/documents/{link}")
    stored.write_bytes(content)  # letters of the next tests are the same bytes
    assert told.status in (500, 503)
    assert held[link].sha256 in told.text
    assert "Traceback" not in told.text
    assert met(error) == before + 1
    assert person.get(page).status == 200
    assert messages.messages_of(dossier)
