"""An auditor verifies the demo's evidence with nothing but the file and the anchor."""

from __future__ import annotations

import json
import random
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from exchange.verify import TrustFiles, given_of, json_of, judge_bytes
from tests.builders import demo
from tests.builders.demo import Played

CHANGES = 200
# What an auditor's machine need not have: the portal, the queue, the engine, the wire.
ABSENT = ("django", "rq", "redis", "SpiffWorkflow", "zeep", "requests", "psycopg", "gunicorn")


@pytest.fixture
def auditor(tmp_path: Path) -> dict[str, str]:
    """Return the environment of an interpreter without our servers' packages and a network."""
    return demo.interpreter_without(*ABSENT, folder=tmp_path / "site", offline=True)


def test_every_bundle_passes_offline(
    played: Played, auditor: dict[str, str], tmp_path: Path
) -> None:
    files = [str(shutil.copy(path, tmp_path)) for path in played.bundles()]
    done = demo.run_to_end(
        *("verify", "--json", "--anchor", str(played.anchor), *files),
        home=tmp_path / "nothing",
        folder=tmp_path,
        changed=auditor,
    )
    reports = list(_objects(done.output))
    assert [one["indication"] for one in reports] == ["TOTAL-PASSED"] * 4, done.output
    assert done.code == 0
    assert not (tmp_path / "nothing").exists()
    for report in reports:
        assert report["witnessed"] is False
        assert {one["indication"] for one in report["signatures"]} == {"TOTAL-PASSED"}
        assert all(one["covered_by"] for one in report["files"] if one["name"] != "mimetype")


def test_the_auditors_interpreter_really_lacks_them(
    auditor: dict[str, str], tmp_path: Path
) -> None:
    refused = demo.run_to_end("message", "list", home=tmp_path, folder=tmp_path, changed=auditor)
    assert refused.code == 1
    assert "No module named 'django'" in refused.output


def test_the_letter_carries_the_leaders_signature_two_seals_and_two_receipts(
    played: Played,
) -> None:
    report = _report(played, _letter(played).read_bytes())
    assert len(report["messages"]) == 2
    assert {one["receipt_outcome"] for one in report["messages"]} == {"accepted"}
    signers = [one["id"] for one in report["signatures"]]
    assert len([one for one in signers if one.startswith("messages/")]) == 4, signers
    assert len([one for one in signers if one.startswith("receipts/")]) == 2, signers


def test_passes_nothing_without_an_anchor(played: Played) -> None:
    bundle = _letter(played)
    report = judge_bytes(bundle.read_bytes(), name=bundle.name, given=given_of(TrustFiles()))
    assert json.loads(json_of(report))["indication"] == "INDETERMINATE"


def test_is_indeterminate_without_revocation_lists(played: Played, tmp_path: Path) -> None:
    home = tmp_path / "var"
    shutil.copytree(played.home.root, home, ignore=shutil.ignore_patterns("run", "spool"))
    for crl in home.glob("nodes/h28/trust/crl/*.crl"):
        crl.unlink()
    code = _letter(played).stem.removesuffix("-h28")
    bundle = tmp_path / "without.asice"
    done = demo.run_to_end(
        *("--node", "h28", "dossier", "export", code, "-o", str(bundle)),
        home=home,
        folder=tmp_path,
    )
    assert done.code == 0, done.output
    judged = demo.run_to_end(
        *("verify", "--anchor", str(played.anchor), "--json", str(bundle)),
        home=home,
        folder=tmp_path,
    )
    report = next(_objects(judged.output))
    assert (report["indication"], report["sub_indication"]) == ("INDETERMINATE", "TRY_LATER")
    assert judged.code == 1


def test_any_changed_byte_fails_and_names_the_part(played: Played) -> None:
    content = _letter(played).read_bytes()
    parts = _places(_letter(played))
    chance = random.Random(2022)
    for _ in range(CHANGES):
        at = chance.randrange(len(content))
        changed = bytearray(content)
        changed[at] ^= 1 << chance.randrange(8)
        report = _report(played, bytes(changed))
        assert report["indication"] == "TOTAL-FAILED", at
        # A byte between the files is the archive's own.
        part = next((name for name, place in parts.items() if at in place), None)
        assert part in {*_named(report), None}, (at, report["reasons"])


def test_a_changed_file_with_a_sound_archive_around_it_fails_by_name(played: Played) -> None:
    for entry in _one_of_each_kind(_letter(played)):
        report = _report(played, _forged(_letter(played), entry))
        assert report["indication"] == "TOTAL-FAILED", entry.filename
        assert entry.filename in _named(report), (entry.filename, report["reasons"])


def test_a_removed_file_fails_by_name(played: Played, tmp_path: Path) -> None:
    for entry in _one_of_each_kind(_letter(played)):
        report = _report(played, _without(_letter(played), entry, tmp_path / "less.asice"))
        assert report["indication"] == "TOTAL-FAILED", entry.filename
        if "META-INF/signatures" in entry.filename:
            assert "no_signature" in {reason["code"] for reason in report["reasons"]}
        else:
            assert entry.filename in _named(report), (entry.filename, report["reasons"])


def test_the_command_says_it_with_exit_1_and_no_traceback(played: Played, tmp_path: Path) -> None:
    content = bytearray(_letter(played).read_bytes())
    for place in (0, len(content) // 3, len(content) - 1):
        changed = tmp_path / f"{place}.asice"
        changed.write_bytes(bytes(content[:place]) + b"~" + bytes(content[place + 1 :]))
        done = demo.run_to_end(
            *("verify", "--anchor", str(played.anchor), str(changed)),
            home=tmp_path,
            folder=tmp_path,
        )
        assert done.code == 1, done.output
        assert "TOTAL-FAILED" in done.output
        assert "Traceback" not in done.output


def _letter(played: Played) -> Path:
    return next(path for path in played.bundles() if path.stem.endswith("-h28"))


def _report(played: Played, content: bytes) -> dict[str, Any]:
    given = given_of(TrustFiles(anchors=[played.anchor]))
    report = judge_bytes(content, name="x.asice", given=given)
    found: dict[str, Any] = json.loads(json_of(report))
    return found


def _named(report: dict[str, Any]) -> set[str]:
    """Return every part that a report blames."""
    reasons = list(report["reasons"])
    blamed = set()
    for part in (*report["signatures"], *report["messages"], *report["events"], *report["files"]):
        if part.get("reasons") or not part.get("covered_by", True):
            blamed.add(str(part.get("name") or part.get("id")))
        reasons += part.get("reasons", [])
    blamed |= {str(v) for reason in reasons for v in reason["parameters"].values()}
    return {unquote(name) for name in blamed}  # references are URIs


def _one_of_each_kind(path: Path) -> list[zipfile.ZipInfo]:
    """Return an entry of every folder and kind of file; `mimetype` is the archive's own."""
    with zipfile.ZipFile(path) as archive:
        kinds = {(Path(e.filename).parent, Path(e.filename).suffix): e for e in archive.infolist()}
    return [entry for entry in kinds.values() if entry.filename != "mimetype"]


def _places(path: Path) -> dict[str, range]:
    """Return where the bytes of each stored file lie in the archive."""
    content, places = path.read_bytes(), {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name, extra = struct.unpack_from("<HH", content, entry.header_offset + 26)
            start = entry.header_offset + 30 + name + extra
            places[entry.filename] = range(start, start + entry.file_size)
    return places


def _forged(path: Path, entry: zipfile.ZipInfo) -> bytes:
    """Change a byte in the middle of a stored file, and both of its checksums with it."""
    place, forged = _places(path)[entry.filename], bytearray(path.read_bytes())
    forged[place[len(place) // 2]] ^= 1
    checksum = zlib.crc32(forged[place.start : place.stop])
    # The central record ends in the local header's offset and the name; its checksum is at 16.
    tail = struct.pack("<L", entry.header_offset) + entry.filename.encode()
    central = forged.rindex(tail) - 42
    assert forged[central : central + 4] == b"PK\x01\x02"
    struct.pack_into("<L", forged, entry.header_offset + 14, checksum)
    struct.pack_into("<L", forged, central + 16, checksum)
    return bytes(forged)


def _without(path: Path, entry: zipfile.ZipInfo, target: Path) -> bytes:
    """Write the same archive again but for one entry."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for kept in old.infolist():
            if kept.filename != entry.filename:
                new.writestr(kept, old.read(kept))
    return target.read_bytes()


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Read one JSON object after the other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        found, end = decoder.raw_decode(text, at)
        yield found
        at = end + len(text[end:]) - len(text[end:].lstrip())
