"""Every vector of tests/vectors/signing gets the verdict that its header names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from signing.evidence import TrustGiven, judge_file
from signing.judgement import Judgement, gravest, whole
from signing.policy import Trust
from signing.trustlist import open_trust_list
from signing.verify import judge_container, judge_xml
from tests.builders.vector_file import ROWS, table

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "signing"
VECTORS = sorted(FOLDER.glob("*.vec"))
LISTED_AT = datetime(2022, 4, 12, 2, 30, tzinfo=UTC)
README = FOLDER / "README.md"


@cache
def trust(crls: str, ocsps: str, trust_list: str) -> Trust:
    folder = FOLDER / "trust"

    def given(pattern: str) -> tuple[bytes, ...]:
        return tuple(path.read_bytes() for path in sorted(folder.glob(pattern)))

    root = Trust(
        anchors=((folder / "anchor.der").read_bytes(),),
        certificates=((folder / "issuing.der").read_bytes(),),
        crls=given(f"{crls}.*.crl"),
        ocsps=given(f"{ocsps}.*.ocsp"),
    )
    if trust_list == "none":
        return root
    content = (folder / f"{trust_list}.xml").read_bytes()
    listed = open_trust_list(content, trust=root, at=LISTED_AT)
    return replace(root, anchors=(), services=listed.services)


def read(path: Path) -> tuple[dict[str, str], bytes]:
    head, _, content = path.read_bytes().partition(b"\n\n")
    fields = {}
    for line in head.decode().splitlines():
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    return fields, content


def judge(fields: dict[str, str], content: bytes) -> Judgement:
    at = datetime.fromisoformat(fields["at"])
    trusted = trust(fields["crls"], fields["ocsps"], fields["list"])
    if fields["kind"] == "xml":
        return judge_xml(content, trust=trusted, at=at)
    if fields["kind"] == "bundle":
        given = TrustGiven(anchors=trusted.anchors)
        found = judge_file(content, name="bundle.asice", given=given, at=at)
        verdict = gravest(found.verdict, *(one.verdict for one in found.events))
        return whole(verdict, [one.verdict for one in found.signatures], found.files)
    return judge_container(content, trust=trusted, at=at)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector_gets_its_verdict(path: Path) -> None:
    fields, content = read(path)

    judgement = judge(fields, content)

    sub = f" {judgement.sub_indication.value}" if judgement.sub_indication else ""
    assert f"{judgement.indication.value}{sub}" == fields["expect"]
    levels = {one.level.value for one in judgement.signatures if one.level}
    assert not fields["level"] or fields["level"] in levels


def test_every_failure_says_why() -> None:
    for path in VECTORS:
        judgement = judge(*read(path))
        reasons = [judgement.reasons, *(one.reasons for one in judgement.signatures)]
        assert judgement.is_passed or any(reasons), path.stem


def test_every_row_of_the_attack_table_has_a_vector_that_the_page_names() -> None:
    rows = [
        (int(fields["row"]), path.stem, fields["expect"])
        for path, fields in ((path, read(path)[0]) for path in VECTORS)
    ]

    assert {row for row, _, _ in rows} == set(ROWS) == set(range(1, 34))
    assert README.read_text(encoding="utf-8").endswith(table(rows))
