"""The command `lienthong verify` on files of other tools, and `lienthong sign` into ASiC-S."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

import signing
from lienthong.sign import sign
from lienthong.verify import command
from signing.pki import certificates_pem
from tests.builders.cms import CONTENT, holder, openssl_cms
from tests.builders.pdf import blank, encrypted, signed
from tests.builders.signing import NOW, pki

SCHEMA = json.loads((Path(signing.__file__).parent / "schemas/report.schema.json").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one sound file of each format, and beside it what an auditor brings along."""
    inside = tmp_path / "folder"
    inside.mkdir()
    (tmp_path / "work").mkdir()
    (inside / "a.pdf").write_bytes(signed(blank(), at=NOW))
    (inside / "b.pdf").write_bytes(blank())
    (inside / "b.pdf.p7s").write_bytes(openssl_cms(tmp_path / "work", "-cades", content=blank()))
    (inside / "c.txt.p7m").write_bytes(openssl_cms(tmp_path / "work", "-cades", "-nodetach"))
    (tmp_path / "anchor.cer").write_bytes(pki().root.certificate)
    for number, crl in enumerate(pki().crls()):
        (tmp_path / f"{number}.crl").write_bytes(crl)
    return inside


def verify(folder: Path, *names: str) -> list[dict[str, object]]:
    trust = folder.parent
    given = ["--anchor", f"{trust}/anchor.cer", "--at", NOW.isoformat(), "--json"]
    given += ["--crl", f"{trust}/0.crl", "--crl", f"{trust}/1.crl"]
    paths = [str(folder / name) for name in names] or [str(folder)]
    result = CliRunner().invoke(command, [*given, *paths], standalone_mode=False)
    assert result.exception is None, result.output
    reports = json.loads("[" + result.stdout.replace("\n}\n{", "\n},\n{") + "]")
    for report in reports:
        Draft202012Validator(SCHEMA).validate(report)
    return list(reports)


def test_every_format_of_a_folder_is_judged_with_the_files_beside_it(folder: Path) -> None:
    reports = verify(folder)

    # b.pdf carries no signature of its own: it is judged with the one beside it.
    assert [(one["name"], one["subject"]) for one in reports] == [
        ("a.pdf", "pdf"),
        ("b.pdf.p7s", "cms"),
        ("c.txt.p7m", "cms"),
    ]
    assert {one["indication"] for one in reports} == {"TOTAL-PASSED"}


def test_report_says_what_each_signature_covers(folder: Path) -> None:
    first, second, third = verify(folder, "a.pdf", "b.pdf.p7s", "c.txt.p7m")

    for report, name in ((first, "a.pdf"), (second, "b.pdf"), (third, "c.txt")):
        signatures, files = report["signatures"], report["files"]
        assert isinstance(signatures, list)
        assert isinstance(files, list)
        assert signatures[0]["covers"] == [name]
        assert files[0]["name"] == name
        assert files[0]["covered_by"] == [signatures[0]["id"]]


def test_what_is_not_supported_is_named(folder: Path) -> None:
    (folder / "secret.pdf").write_bytes(encrypted())

    report = verify(folder, "secret.pdf")[0]

    assert report["indication"] == "INDETERMINATE"
    assert "pdf_unsupported" in json.dumps(report)


def test_sign_writes_asic_s_by_the_suffix_and_by_the_option(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(holder("ec").key)
    (tmp_path / "cert.pem").write_bytes(certificates_pem(holder("ec").certificate))
    (tmp_path / "a.txt").write_bytes(CONTENT)
    (tmp_path / "b.txt").write_bytes(CONTENT)
    keys = ["--key", f"{tmp_path}/key.pem", "--cert", f"{tmp_path}/cert.pem"]

    for name, more in (("a.asics", ()), ("a.zip", ("--container", "asic-s"))):
        arguments = [f"{tmp_path}/a.txt", "-o", f"{tmp_path}/{name}", *keys, *more]
        result = CliRunner().invoke(sign, arguments)
        assert result.exit_code == 0, result.output
        assert b"application/vnd.etsi.asic-s+zip" in (tmp_path / name).read_bytes()[:80]
    both = [f"{tmp_path}/a.txt", f"{tmp_path}/b.txt", "-o", f"{tmp_path}/c.asics", *keys]
    assert CliRunner().invoke(sign, both).exit_code == 2
    assert not (tmp_path / "c.asics").exists()
