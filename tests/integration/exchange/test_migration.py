"""Running dossiers go on under another version by an explicit mapping, all of it or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from dossier.repair import Migrated
from exchange import migration
from exchange.errors import ReasonMissing
from exchange.migration import Migration
from exchange.publish import publish
from exchange.repair_errors import MappingRefused
from storage import dossiers, history, instances
from tests.builders.exchange import LETTER, OneNode
from tests.builders.procedures import folder

ADMIN = "hb.quantri1"
P8 = "p8_official_letter"
CODE = "official-letter"


def second(one: OneNode, **renamed: str) -> None:
    """Publish version 2 of the letter, with elements renamed."""
    files = folder(P8)
    for before, after in renamed.items():
        files = {
            path.replace(before, after): text.replace(before.encode(), after.encode())
            for path, text in files.items()
        }
    declared = files["procedure.toml"].replace(b'version = "1"', b'version = "2"', 1)
    publish(
        {**files, "procedure.toml": declared},
        at=one.node.now(),
        proposed_by="a",
        confirmed_by="b",
    )


def prepared(one: OneNode, mapping: bytes | None = None) -> Migration:
    return migration.prepare(one.node, CODE, before="1", after="2", mapping=mapping)


def moved(one: OneNode, wanted: Migration, reason: str = "new decree") -> list[Migrated]:
    return list(migration.migrate_all(one.node, one.actor(ADMIN), wanted, reason=reason))


def test_work_that_is_the_same_stays_open_under_the_new_version(one: OneNode) -> None:
    code = one.start_letter()
    second(one, Soạn="Biên")  # another label somewhere else, and the same step
    second_label = prepared(one)
    (told,) = moved(one, second_label)
    assert told.moves
    after = one.open_tasks(code)
    assert set(after) == {"draft_letter"}
    (side,) = one.sides(code).values()
    assert (side.procedure_version, side.contract_sha256) == (
        "2",
        second_label.after.digest,
    )
    (instance,) = instances.of_dossier(side.id)
    assert instance.definition_sha256 == second_label.package_after
    (entry,) = [one for one in history.of_dossier(side.id) if one.kind == "instance_migrated"]
    assert (entry.actor, entry.parameters["reason"], entry.parameters["to"]) == (
        ADMIN,
        "new decree",
        "2",
    )
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    assert "draft_letter" not in one.open_tasks(code)


def test_an_element_without_a_place_blocks_and_nothing_moves(one: OneNode) -> None:
    code = one.start_letter()
    second(one, draft_letter="compose_letter")
    (told,) = moved(one, prepared(one))
    assert (told.moves, told.code) == (False, "migration_refused")
    assert [(block.reason, block.place.element_id) for block in told.blocks] == [
        ("unmapped", "draft_letter")
    ]
    (side,) = one.sides(code).values()
    assert side.procedure_version == "1"
    assert set(one.open_tasks(code)) == {"draft_letter"}


def test_an_explicit_mapping_gives_every_element_a_place(one: OneNode) -> None:
    code = one.start_letter()
    second(one, draft_letter="compose_letter")
    proposed = migration.mapping_text(prepared(one))
    assert '# "draft_letter" = ""' in proposed
    mapping = proposed.replace('# "draft_letter" = ""', '"draft_letter" = "compose_letter"')
    wanted = prepared(one, mapping.encode())
    (rehearsed,) = migration.rehearse(one.node, one.actor(ADMIN), wanted)
    assert [place.element_id for place in rehearsed.reopened] == ["draft_letter"]
    assert ("task_opened", "compose_letter") in {
        (effect.what, effect.element_id) for effect in rehearsed.effects
    }
    assert set(one.open_tasks(code)) == {"draft_letter"}
    (told,) = moved(one, wanted)
    assert told.moves
    assert set(one.open_tasks(code)) == {"compose_letter"}
    assert moved(one, wanted) == []  # those that moved are not met again


@pytest.mark.parametrize(
    "mapping",
    [
        b"[elements",
        b"[other]\na = 'b'",
        b"[elements]\nnowhere = 'x'",
        b"[elements]\ndraft_letter = 'x'",
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(one: OneNode, mapping: bytes) -> None:
    second(one, Soạn="Biên")
    with pytest.raises(MappingRefused):
        prepared(one, mapping)


def test_a_migration_needs_a_reason_and_the_role_for_it(one: OneNode) -> None:
    code = one.start_letter()
    second(one, Soạn="Biên")
    with pytest.raises(ReasonMissing):
        moved(one, prepared(one), reason=" ")
    told = list(migration.migrate_all(one.node, one.actor("hb.lanhdao"), prepared(one), reason="x"))
    assert [(row.moves, row.code) for row in told] == [(False, "not_allowed")]
    assert next(iter(one.sides(code).values())).procedure_version == "1"


def test_an_instance_that_changes_meanwhile_is_migrated_as_it_then_stands(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = one.start_letter()
    second(one, Soạn="Biên")
    whole = instances.lock
    seen: list[int] = []

    def slow(ids: list[UUID], *, token: str | None) -> dict[UUID, int]:
        if not seen:
            seen.append(1)
            found = whole(ids, token=token)
            return dict.fromkeys(found, -1)
        return whole(ids, token=token)

    monkeypatch.setattr(instances, "lock", slow)
    (told,) = moved(one, prepared(one))
    assert told.moves
    assert next(iter(one.sides(code).values())).procedure_version == "2"


def test_a_commit_that_fails_leaves_everything_as_it_was(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = one.start_letter()
    second(one, draft_letter="compose_letter")
    text = migration.mapping_text(prepared(one)).replace(
        '# "draft_letter" = ""', '"draft_letter" = "compose_letter"'
    )

    def fails(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(dossiers, "rebind", fails)
    with pytest.raises(RuntimeError):
        moved(one, prepared(one, text.encode()))
    (side,) = one.sides(code).values()
    (instance,) = instances.of_dossier(side.id)
    assert side.procedure_version == "1"
    assert instance.definition_sha256 == prepared(one).package_before
    assert set(one.open_tasks(code)) == {"draft_letter"}


def test_the_command_prints_what_would_change_and_then_moves(
    one: OneNode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lienthong.main import run  # noqa: PLC0415 - needs the node of the fixture

    code = one.start_letter()
    second(one, Soạn="Biên")
    password = tmp_path / "password"
    password.write_text(one.logins[ADMIN]["password"])
    monkeypatch.setattr("lienthong.person.this_node", lambda: one.node)
    monkeypatch.setattr("lienthong.person.boot", lambda: None)
    common = [
        "procedure", "migrate", CODE, "--from", "1", "--to", "2",
        "--by", ADMIN, "--password-file", str(password),
    ]  # fmt: skip
    assert run([*common, "--dry-run"]) == 0
    printed = capsys.readouterr()
    assert f"{code} (" in printed.out
    assert "1 of 1 instances would move; nothing has changed." in printed.err
    assert run([*common, "--reason", "new decree", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["instances"]
    assert [(row["dossier"], row["moves"]) for row in found] == [(code, True)]
    tokens = ["dossier", "tokens", code, "--by", ADMIN, "--password-file", str(password)]
    assert run([*tokens, "--json"]) == 0
    (instance,) = json.loads(capsys.readouterr().out)["instances"]
    token = instance["tokens"][0]
    assert (instance["version"], token["element"]) == ("2", "draft_letter")
    repair = [
        "dossier", "repair", code, "--token", token["id"], "--skip", "--reason", "paper came",
        "--by", ADMIN, "--password-file", str(password),
    ]  # fmt: skip
    assert run([*repair, "--dry-run"]) == 0
    assert "A task is withdrawn" in capsys.readouterr().out
    assert "draft_letter" in one.open_tasks(code)
    assert run(repair) == 0
    assert "draft_letter" not in one.open_tasks(code)
