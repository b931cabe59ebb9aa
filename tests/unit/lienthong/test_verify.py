"""The command `lienthong verify`: forms of output, folders, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator
from lxml import etree

import signing
from dossier import safexml
from lienthong.verify import command
from tests.builders.signing import NOW, pki, sealed

SCHEMA = json.loads((Path(signing.__file__).parent / "schemas/report.schema.json").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two containers, and beside it what an auditor brings along."""
    inside = tmp_path / "folder"
    inside.mkdir()
    (inside / "a.asice").write_bytes(sealed())
    (inside / "b.asice").write_bytes(sealed()[:-1])
    (tmp_path / "anchor.cer").write_bytes(pki().root.certificate)
    (tmp_path / "issuing.cer").write_bytes(pki().issuing.certificate)
    for number, crl in enumerate(pki().crls()):
        (tmp_path / f"{number}.crl").write_bytes(crl)
    return inside


def verify(folder: Path, *arguments: str) -> Result:
    trust = folder.parent
    given = ["--anchor", f"{trust}/anchor.cer", "--cert", f"{trust}/issuing.cer"]
    given += ["--crl", f"{trust}/0.crl", "--crl", f"{trust}/1.crl", "--at", NOW.isoformat()]
    return CliRunner().invoke(command, [*given, *arguments], standalone_mode=False)


def test_one_file_is_told_in_full(folder: Path) -> None:
    result = verify(folder, str(folder / "a.asice"))

    assert result.return_value == 0
    assert "VALID (TOTAL-PASSED)" in result.stdout
    assert "Công văn số 1.pdf" in result.stdout


def test_json_of_one_file_is_one_object_of_the_schema(folder: Path) -> None:
    result = verify(folder, "--json", str(folder / "a.asice"))

    report = json.loads(result.stdout)
    Draft202012Validator(SCHEMA).validate(report)
    assert report["indication"] == "TOTAL-PASSED"


def test_folder_gives_one_line_for_what_passed_and_all_of_what_did_not(folder: Path) -> None:
    result = verify(folder, str(folder))

    assert result.return_value == 1
    assert result.stdout.startswith("a.asice: Valid (TOTAL-PASSED)\n")
    assert "NOT VALID (TOTAL-FAILED)" in result.stdout
    assert result.stderr.endswith("2 files: 1 TOTAL-PASSED, 0 INDETERMINATE, 1 TOTAL-FAILED\n")


def test_resumed_run_prints_the_same_json(folder: Path) -> None:
    arguments = ("--json", "--resume", str(folder.parent / "ledger"), str(folder))

    assert verify(folder, *arguments).stdout == verify(folder, *arguments).stdout


def test_html_and_etsi_hold_every_file(folder: Path) -> None:
    assert verify(folder, "--html", "--lang", "vi", str(folder)).stdout.count("<article>") == 2
    content = verify(folder, "--etsi", str(folder)).stdout.strip().encode()
    root = safexml.parse(content, caps=safexml.Caps(size_bytes=1_000_000))
    assert etree.QName(root).localname == "ValidationReport"


def test_ledger_does_not_go_with_forms_that_it_cannot_repeat(folder: Path) -> None:
    result = verify(folder, "--etsi", "--resume", str(folder.parent / "ledger"), str(folder))

    assert result.exception is not None
    assert not (folder.parent / "ledger").exists()


def test_instant_that_is_none_is_refused(folder: Path) -> None:
    result = CliRunner().invoke(command, ["--at", "yesterday", str(folder / "a.asice")])

    assert result.exit_code == 2
