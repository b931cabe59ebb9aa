"""Every vector of tests/vectors/signing gets the verdict that its header names."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from signing.judgement import Judgement
from signing.policy import Trust
from signing.purpose import Purpose
from signing.verify import judge_container, judge_xml

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "signing"
VECTORS = sorted(FOLDER.glob("*.vec"))
# Rows of the attack table that this folder must show; 21 needs archive time-stamps, 32 and 33
# belong to the log.
ROWS = set(range(1, 32)) - {21}


@cache
def trust(crls: str) -> Trust:
    return Trust(
        anchors=((FOLDER / "trust" / "anchor.der").read_bytes(),),
        certificates=((FOLDER / "trust" / "issuing.der").read_bytes(),),
        crls=tuple(path.read_bytes() for path in sorted((FOLDER / "trust").glob(f"{crls}.*.crl"))),
    )


def read(path: Path) -> tuple[dict[str, str], bytes]:
    head, _, content = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return fields, content


def judge(fields: dict[str, str], content: bytes) -> Judgement:
    at = datetime.fromisoformat(fields["at"])
    if fields["kind"] == "xml":
        purposes = frozenset({Purpose.SEAL})
        return judge_xml(content, trust=trust(fields["crls"]), at=at, purposes=purposes)
    return judge_container(content, trust=trust(fields["crls"]), at=at)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector_gets_its_verdict(path: Path) -> None:
    fields, content = read(path)

    judgement = judge(fields, content)

    sub = f" {judgement.sub_indication.value}" if judgement.sub_indication else ""
    assert f"{judgement.indication.value}{sub}" == fields["expect"]


def test_every_failure_says_why() -> None:
    for path in VECTORS:
        judgement = judge(*read(path))
        reasons = [judgement.reasons, *(one.reasons for one in judgement.signatures)]
        assert judgement.is_passed or any(reasons), path.stem


def test_every_row_of_the_attack_table_has_a_vector() -> None:
    assert {int(read(path)[0]["row"]) for path in VECTORS} >= ROWS
