"""The directory at a node: pinned anchor, sealed editions, numbers that only rise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dossier.directory import Directory, write_directory
from dossier.errors import LienThongError
from exchange.demo.layout import anchor_sha256
from exchange.directory import import_directory
from signing.enveloped import sign_xml
from signing.keys import Signer, load_signer
from storage import directory as editions
from storage import outbox
from tests.builders.exchange import OneNode


def key(one: OneNode, name: str) -> Signer:
    stem = one.home.pki / name
    return load_signer(
        stem.with_name(f"{name}.key.pem").read_bytes(),
        certificates=stem.with_name(f"{name}.crt.pem").read_bytes(),
    )


def sealed(one: OneNode, directory: Directory, signer: Signer | None = None) -> bytes:
    return sign_xml(
        write_directory(directory),
        signer=signer or key(one, "directory"),
        timestamper=one.node.timestamper,
        at=one.node.now(),
    )


def following(one: OneNode) -> Directory:
    current = editions.current()
    assert current is not None
    return replace(one.node.directory(), number=2, previous_sha256=current.sha256)


def bring(
    one: OneNode, content: bytes, *, anchor: str = "", at: datetime | None = None
) -> Directory:
    return import_directory(
        content,
        anchor_sha256=anchor_sha256(one.home),
        trust=one.node.trust(),
        floor=one.node.settings.trust_dir / "directory.number",
        at=one.node.now(),
        by="test",
    )


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(LienThongError) as caught:
        call()
    return caught.value.code


def test_next_edition_comes_into_force(one: OneNode) -> None:
    assert bring(one, sealed(one, following(one))).number == 2
    assert one.node.directory().number == 2


def test_same_edition_twice_changes_nothing(one: OneNode) -> None:
    current = editions.current()
    assert current is not None
    assert bring(one, current.content).number == 1
    assert len(editions.editions()) == 1


def test_unsigned_directory_is_refused(one: OneNode) -> None:
    content = write_directory(following(one))
    assert refused(lambda: bring(one, content)) == "directory_not_sealed"


def test_changed_directory_is_refused(one: OneNode) -> None:
    content = sealed(one, following(one)).replace(b"127.0.0.1", b"127.0.0.2", 1)
    assert refused(lambda: bring(one, content)) == "directory_not_sealed"


def test_directory_under_an_agencys_seal_is_refused(one: OneNode) -> None:
    content = sealed(one, following(one), signer=one.node.seal("000.00.00.H08"))
    assert refused(lambda: bring(one, content)) == "directory_not_sealed"


def test_lower_number_is_refused_even_after_a_restore(one: OneNode) -> None:
    bring(one, sealed(one, following(one)))
    floor = one.node.settings.trust_dir / "directory.number"
    floor.write_text("7")
    third = replace(
        following(one),
        number=3,
        previous_sha256=hashlib.sha256(editions.editions()[-1].content).hexdigest(),
    )
    assert refused(lambda: bring(one, sealed(one, third))) == "directory_rolled_back"


def test_edition_that_does_not_follow_is_refused(one: OneNode) -> None:
    stranger = replace(following(one), previous_sha256="0" * 64)
    assert refused(lambda: bring(one, sealed(one, stranger))) == "directory_rolled_back"


def test_another_anchor_is_refused_once_one_is_pinned(one: OneNode, tmp_path: Path) -> None:
    stranger = replace(one.node.trust(), anchors=(one.node.seal("000.00.00.H08").certificate,))
    code = refused(
        lambda: import_directory(
            sealed(one, following(one)),
            anchor_sha256=anchor_sha256(one.home),
            trust=stranger,
            floor=tmp_path / "floor",
            at=one.node.now(),
            by="test",
        )
    )
    assert code == "anchor_mismatch"


def test_sending_stops_after_the_grace_of_an_expired_directory(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = replace(
        one.node.directory(),
        valid_from=one.node.now() - timedelta(days=100),
        valid_until=one.node.now() - timedelta(days=31),
        grace_days=30,
    )
    monkeypatch.setattr(one.node, "directory", lambda: ended)
    code = one.send_letter()
    message = one.sides(code)["000.00.00.H28"]
    assert outbox.of_dossier(message.id)[0].message.last_error == "directory_expired"
