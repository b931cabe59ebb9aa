"""ASiC of other tools with CAdES and time-stamps: what a manifest names is what is covered."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from signing.indication import Indication, SubIndication
from signing.judgement import Judgement, Level
from signing.verify import judge_container
from tests.builders.cms import CONTENT, archived, long_term, openssl_cms, stamped
from tests.builders.manifest import ASIC_E, ASIC_S, manifest
from tests.builders.signing import NOW, pki

SIGNATURE = "META-INF/signature001.p7s"
FILES = {"quyết định.txt": CONTENT, "b/c.bin": b"\x00\x01"}


def container(
    entries: Mapping[str, bytes], *, kind: bytes | None = ASIC_E, compressed: bool = False
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind is not None:
            method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
            archive.writestr("mimetype", kind, method)
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def token(octets: bytes) -> bytes:
    return pki().timestamper().stamp(hashlib.sha256(octets).digest())


def signed_entries(folder: Path, *, raised: bool = False) -> dict[str, bytes]:
    listed = manifest(SIGNATURE, FILES)
    signature = openssl_cms(folder, "-cades", content=listed)
    if raised:
        signature = long_term(stamped(signature))
    return {**FILES, "META-INF/ASiCManifest001.xml": listed, SIGNATURE: signature}


def judge(content: bytes) -> Judgement:
    return judge_container(content, trust=pki().trust(), at=NOW)


def codes(judgement: Judgement) -> set[str]:
    reasons = [*judgement.reasons]
    for signature in judgement.signatures:
        reasons += signature.reasons
    return {reason.code for reason in reasons}


@pytest.mark.parametrize(("kind", "compressed"), [(ASIC_E, False), (ASIC_E, True), (None, False)])
def test_cades_over_a_manifest_passes(kind: bytes | None, compressed: bool, tmp_path: Path) -> None:
    judgement = judge(container(signed_entries(tmp_path), kind=kind, compressed=compressed))

    assert judgement.is_passed, codes(judgement)
    assert judgement.signatures[0].covers == tuple(FILES)
    assert [one.covered_by for one in judgement.files] == [(SIGNATURE,)] * 2


@pytest.mark.parametrize(
    ("name", "content", "sub", "code"),
    [
        ("b/c.bin", b"\x00", SubIndication.HASH_FAILURE, "file_changed"),
        ("b/c.bin", None, SubIndication.SIGNED_DATA_NOT_FOUND, "file_missing"),
        ("more.txt", b"", SubIndication.FORMAT_FAILURE, "file_not_covered"),
        ("META-INF/ASiCManifest001.xml", None, SubIndication.FORMAT_FAILURE, "manifest_missing"),
        (
            "META-INF/ASiCManifest001.xml",
            manifest(SIGNATURE, {**FILES, "b/c.bin": b"y"}),
            SubIndication.HASH_FAILURE,
            "file_changed",
        ),
        (
            "META-INF/ASiCManifest002.xml",
            manifest(SIGNATURE, FILES),
            SubIndication.FORMAT_FAILURE,
            "manifest_twice",
        ),
        (
            "META-INF/ASiCManifest002.xml",
            manifest("META-INF/signature002.p7s", FILES),
            SubIndication.SIGNED_DATA_NOT_FOUND,
            "manifest_unsigned",
        ),
        ("META-INF/evidencerecord.ers", b"0", SubIndication.GENERIC, "binary_unsupported"),
    ],
)
def test_changed_containers_do_not_pass(
    name: str, content: bytes | None, sub: SubIndication, code: str, tmp_path: Path
) -> None:
    entries = signed_entries(tmp_path)
    if content is None:
        del entries[name]
    else:
        entries[name] = content

    judgement = judge(container(entries))

    assert judgement.sub_indication is sub, codes(judgement)
    assert code in codes(judgement)


def test_two_signatures_over_two_manifests_share_the_files(tmp_path: Path) -> None:
    entries = signed_entries(tmp_path)
    name, files = "META-INF/signature002.p7s", {"b/c.bin": FILES["b/c.bin"]}
    entries["META-INF/ASiCManifest002.xml"] = listed = manifest(name, files)
    entries[name] = openssl_cms(tmp_path, "-cades", content=listed, kinds=("rsa",))

    judgement = judge(container(entries))

    assert judgement.is_passed, codes(judgement)
    assert judgement.files[1].covered_by == (SIGNATURE, name)


def test_time_stamp_over_an_archive_manifest_makes_lta(tmp_path: Path) -> None:
    entries = signed_entries(tmp_path, raised=True)
    assert judge(container(entries)).signatures[0].level is Level.B_LT
    covered = {name: entries[name] for name in (SIGNATURE, "META-INF/ASiCManifest001.xml")}
    name = "META-INF/timestamp001.tst"
    entries["META-INF/ASiCArchiveManifest.xml"] = listed = manifest(name, {**FILES, **covered})
    entries[name] = token(listed)

    judgement = judge(container(entries))

    assert judgement.is_passed, codes(judgement)
    first, stamp = judgement.signatures
    assert first.level is Level.B_LTA
    assert SIGNATURE in stamp.covers


def test_archive_manifest_over_another_signature_file_proves_nothing(tmp_path: Path) -> None:
    entries = signed_entries(tmp_path, raised=True)
    name = "META-INF/timestamp001.tst"
    listed = manifest(name, {**FILES, SIGNATURE: b"other"})
    entries["META-INF/ASiCArchiveManifest.xml"] = listed
    entries[name] = token(listed)

    judgement = judge(container(entries))

    assert judgement.signatures[0].level is Level.B_LT
    assert judgement.sub_indication is SubIndication.HASH_FAILURE


def test_simple_container_with_cades_reaches_lta(tmp_path: Path) -> None:
    signature = archived(long_term(stamped(openssl_cms(tmp_path, "-cades"))))
    entries = {"a.txt": CONTENT, "META-INF/signature.p7s": signature}

    judgement = judge(container(entries, kind=ASIC_S))

    assert judgement.is_passed, codes(judgement)
    assert judgement.signatures[0].level is Level.B_LTA
    assert judgement.files[0].covered_by == ("META-INF/signature.p7s",)
    twice = judge(container({**entries, "b.txt": b""}, kind=ASIC_S))
    assert twice.indication is Indication.TOTAL_FAILED
    assert "simple_with_many" in codes(twice)


def test_simple_container_with_a_time_stamp_alone(tmp_path: Path) -> None:
    entries = {"a.txt": CONTENT, "META-INF/timestamp.tst": token(CONTENT)}

    judgement = judge(container(entries, kind=ASIC_S))
    changed = judge(container({**entries, "a.txt": b"other"}, kind=ASIC_S))

    assert judgement.is_passed, codes(judgement)
    assert judgement.signatures[0].best_time == NOW
    assert judgement.files[0].covered_by == ("META-INF/timestamp.tst",)
    assert changed.sub_indication is SubIndication.HASH_FAILURE
    assert changed.files[0].covered_by == ()


@pytest.mark.parametrize("comment", [b"mimetype=" + ASIC_E, b"mimetype=text/plain", b"Made by x"])
def test_entries_of_folders_and_comments_are_taken(comment: bytes, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", ASIC_E)
        for folder in ("META-INF/", "b/"):
            archive.writestr(folder, b"")
        for name, content in signed_entries(tmp_path).items():
            entry = zipfile.ZipInfo(name)
            entry.comment = b"tool/1.0"
            archive.writestr(entry, content)
        archive.comment = comment
    content = out.getvalue()

    assert judge(content).is_passed, codes(judge(content))
    assert not judge(content + b"x").is_passed
    assert not judge(content[:-1] + b"PK").is_passed


def test_folder_that_is_a_file_too_does_not_pass(tmp_path: Path) -> None:
    for name in ("b/c.bin/", "B/c.BIN/", "../x/"):
        entries = {**signed_entries(tmp_path), name: b""}
        assert judge(container(entries)).sub_indication is SubIndication.FORMAT_FAILURE


@pytest.mark.parametrize(
    ("listing", "code"),
    [
        (b"<m", "listing_unreadable"),
        (
            b'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            b'<m:file-entry m:full-path="/"/><m:file-entry m:full-path="gone.txt"/></m:manifest>',
            "listing_lies",
        ),
    ],
)
def test_wrong_listing_of_files_is_told_and_spoils_nothing(
    listing: bytes, code: str, tmp_path: Path
) -> None:
    entries = {**signed_entries(tmp_path), "META-INF/manifest.xml": listing}

    judgement = judge(container(entries))

    assert judgement.is_passed
    assert code in codes(judgement)


@pytest.mark.parametrize("name", ["META-INF/ASiCManifest001.xml", "quyết định.txt"])
def test_changed_octets_of_what_is_signed_do_not_pass(name: str, tmp_path: Path) -> None:
    entries = signed_entries(tmp_path)
    for position in range(0, len(entries[name]), 19):
        changed = bytearray(entries[name])
        changed[position] ^= 1
        judgement = judge(container({**entries, name: bytes(changed)}))
        assert not judgement.is_passed, position
