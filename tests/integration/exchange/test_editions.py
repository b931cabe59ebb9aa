"""The authority's work by the command: export, sign, compare, import; and rotating a seal."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path

import pytest

from dossier.clock import SystemClock
from dossier.directory import parse_directory
from dossier.ids import AgencyCode
from exchange.directory import verify_directory
from exchange.directory_source import difference, read_source, write_source
from exchange.settings import settings
from exchange.wiring import node
from lienthong.main import run
from signing import pki
from signing.keys import read_certificates
from signing.purpose import Purpose
from tests.builders.exchange import OneNode

HOA_BINH = AgencyCode("000.00.00.H28")


def authority(one: OneNode) -> list[str]:
    folder = one.home.pki
    return [
        *("--key", str(folder / "directory.key.pem"), "--cert", str(folder / "directory.crt.pem")),
        *("--tsa-key", str(folder / "tsa.key.pem"), "--tsa-cert", str(folder / "tsa.crt.pem")),
    ]


def in_force(folder: Path) -> Path:
    path = folder / "present.xml"
    assert run(["directory", "export", "-o", str(folder / "source"), "--sealed", str(path)]) == 0
    return path


def next_edition(one: OneNode, folder: Path, old: str, new: str) -> Path:
    """Change the source of the edition in force and seal what comes of it."""
    source, target = folder / "directory.toml", folder / "next.xml"
    assert run(["directory", "export", "-o", str(source)]) == 0
    text = source.read_text("utf-8")
    assert old in text
    source.write_text(text.replace(old, new, 1), "utf-8")
    signing = ["directory", "sign", str(source), "-o", str(target)]
    assert run([*signing, "--previous", str(in_force(folder)), *authority(one)]) == 0
    return target


def certified(one: OneNode, key: bytes) -> bytes:
    """Let the demo's authority certify a key as a seal."""
    folder = one.home.pki
    issuing = read_certificates((folder / "issuing.crt.pem").read_bytes())[0]
    start = SystemClock().now() - timedelta(minutes=5)
    leaf = pki.issue_leaf(
        pki.Issuer(certificate=issuing, key=(folder / "issuing.key.pem").read_bytes()),
        public_key=pki.public_key_of(key),
        purpose=Purpose.SEAL,
        subject=pki.Subject(common_name="next"),
        validity=pki.Validity(start=start, end=start + timedelta(days=900)),
        serial=secrets.randbits(100) | 1,
    )
    return pki.certificates_pem(leaf, issuing)


def test_source_says_all_that_the_edition_says(here: OneNode, tmp_path: Path) -> None:
    directory = here.node.directory()
    again = read_source(write_source(directory), beside=tmp_path)
    assert difference(directory, again) == []
    assert again == directory


def test_next_edition_is_signed_compared_and_imported(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edition = next_edition(here, tmp_path, "grace_days = 30", "grace_days = 20")
    said = capsys.readouterr()
    assert said.out.splitlines() == ["~ directory grace_days: 30 -> 20"]
    assert "directory number 2" in said.err
    assert run(["directory", "diff", str(edition)]) == 0
    assert "~ directory grace_days: 30 -> 20" in capsys.readouterr().out
    assert run(["directory", "diff", str(edition), str(tmp_path / "present.xml")]) == 0
    assert run(["directory", "import", str(edition)]) == 0
    assert node().directory().grace_days == 20
    # The same again changes nothing; an edition that does not follow is refused.
    assert run(["directory", "import", str(edition)]) == 0
    assert run(["directory", "import", str(tmp_path / "present.xml")]) == 1
    assert "[directory_rolled_back]" in capsys.readouterr().err


def test_new_agencies_rules_and_transport_are_named(here: OneNode, tmp_path: Path) -> None:
    text = write_source(here.node.directory())
    text = text.replace(
        'channels = [', 'demands_signed_calls = true\nx_road = { instance = "VN", '
        'member_class = "GOV", member_code = "H28", subsystem = "lt" }\nchannels = [', 1,
    )  # fmt: skip
    text += '\n[[rule]]\nclient = "*"\nserver = "*"\nprocedure = "x"\nmessage_type = "y"\n'
    changed = read_source(text, beside=tmp_path)
    lines = difference(here.node.directory(), changed)
    assert "+ rule * -> *: x y" in lines
    assert any("demands_signed_calls: False -> True" in line for line in lines)
    assert any("x_road: None -> XRoadMember" in line for line in lines)
    assert read_source(write_source(changed), beside=tmp_path) == changed
    assert difference(None, changed)[0].startswith("+ agency ")


@pytest.mark.parametrize(
    "content",
    ["", "[[agency]]", "authority = 1", 'authority = "x"\nvalid_from = 2026-01-01\n', "=="],
)
def test_sources_that_are_none_are_refused(
    here: OneNode, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "bad.toml"
    source.write_text(content)
    sign = ["directory", "sign", str(source), "-o", str(tmp_path / "x.xml"), *authority(here)]
    assert run(sign) == 1
    assert "[directory_malformed]" in capsys.readouterr().err
    assert not (tmp_path / "x.xml").exists()


@pytest.mark.parametrize(
    ("start", "end", "grace", "code"),
    [(1, 2, 0, "directory_not_yet_valid"), (-9, -5, 2, "directory_expired")],
)
def test_editions_of_another_time_are_not_imported(
    here: OneNode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    start: int,
    end: int,
    grace: int,
    code: str,
) -> None:
    now = SystemClock().now()
    text = write_source(here.node.directory()).splitlines()
    text[1] = f"valid_from = {now + timedelta(days=start):%Y-%m-%dT%H:%M:%SZ}"
    text[2] = f"valid_until = {now + timedelta(days=end):%Y-%m-%dT%H:%M:%SZ}"
    text[3] = f"grace_days = {grace}"
    source, target = tmp_path / "d.toml", tmp_path / "next.xml"
    source.write_text("\n".join(text), "utf-8")
    signing = ["directory", "sign", str(source), "-o", str(target), *authority(here)]
    assert run([*signing, "--previous", str(in_force(tmp_path))]) == 0
    assert run(["directory", "import", str(target)]) in (1, 3)
    assert f"[{code}]" in capsys.readouterr().err


def test_seal_is_rotated_with_an_overlap_and_without_a_restart(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seals = settings().keys_dir / "seals"
    kept = {path.name: path.read_bytes() for path in seals.glob(f"{HOA_BINH}.*.pem")}
    before = node().seal(HOA_BINH).certificate
    try:
        assert run(["agency", "rotate-key", HOA_BINH]) == 0
        request = Path(capsys.readouterr().out.strip())
        assert b"CERTIFICATE REQUEST" in request.read_bytes()
        key = seals / "next" / f"{HOA_BINH}.key.pem"
        assert key.stat().st_mode & 0o077 == 0
        certificate = tmp_path / "new.pem"
        certificate.write_bytes(certified(here, key.read_bytes()))
        # The directory does not bind it yet.
        install = ["agency", "rotate-key", HOA_BINH, "--cert", str(certificate)]
        assert run(install) == 1
        assert "[seal_not_in_directory]" in capsys.readouterr().err
        now = SystemClock().now()
        seal = (
            f'\n[[agency.seal]]\ncertificate = "{certificate}"\n'
            f"valid_from = {now - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}\n"
            f"valid_until = {now + timedelta(days=400):%Y-%m-%dT%H:%M:%SZ}\n"
        )
        first = f'code = "{HOA_BINH}"'
        source = write_source(node().directory())
        head, mark, tail = source.partition(first)
        own, following, rest = tail.partition("\n[[agency]]\n")
        changed = tmp_path / "d.toml"
        changed.write_text(head + mark + own + seal + following + rest, "utf-8")
        edition = tmp_path / "next.xml"
        signing = ["directory", "sign", str(changed), "-o", str(edition), *authority(here)]
        assert run([*signing, "--previous", str(in_force(tmp_path))]) == 0
        assert run(["directory", "import", str(edition)]) == 0
        assert run(install) == 0
        assert "stays bound until" in capsys.readouterr().err
        assert node().seal(HOA_BINH).certificate != before
        owner = node().directory().seal_owner(before, at=SystemClock().now())
        assert owner is not None
        assert owner.code == HOA_BINH
        assert len(list((seals / "old").glob(f"{HOA_BINH}.*.key.pem"))) == 1
        assert run(install) == 1
        assert "[rotation_unknown]" in capsys.readouterr().err
    finally:
        for name, content in kept.items():
            (seals / f"{name}.back").write_bytes(content)
            os.replace(seals / f"{name}.back", seals / name)


def test_edition_in_a_file_verifies_under_the_nodes_trust(here: OneNode, tmp_path: Path) -> None:
    content = in_force(tmp_path).read_bytes()
    found, unsigned = verify_directory(content, trust=here.node.trust(), at=here.node.now())
    assert parse_directory(unsigned) == found
