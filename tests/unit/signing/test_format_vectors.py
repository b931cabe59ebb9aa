"""Every vector of tests/vectors/signing/formats gets the verdict that its header names."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from signing.cmsfile import judge_cms_file
from signing.judgement import Judgement
from signing.pdf import judge_pdf
from signing.policy import Trust
from signing.verify import judge_container

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "signing" / "formats"
VECTORS = sorted(FOLDER.glob("*.vec"))
KINDS = ("cms", "asic", "pdf")


@cache
def trust() -> Trust:
    folder = FOLDER / "trust"
    return Trust(
        anchors=((folder / "anchor.der").read_bytes(),),
        certificates=((folder / "issuing.der").read_bytes(),),
        crls=tuple(path.read_bytes() for path in sorted(folder.glob("*.crl"))),
    )


def judge(path: Path) -> tuple[str, Judgement]:
    head, _, content = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
    at = datetime.fromisoformat(fields["at"])
    if fields["kind"] == "cms":
        files = {"d.txt": (FOLDER / "content").read_bytes()}
        found = judge_cms_file(content, name="d.txt.p7s", files=files, trust=trust(), at=at)
    elif fields["kind"] == "pdf":
        found = judge_pdf(content, name="d.pdf", trust=trust(), at=at)
    else:
        found = judge_container(content, trust=trust(), at=at)
    return fields["expect"], found


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector_gets_its_verdict(path: Path) -> None:
    expect, judgement = judge(path)

    sub = f" {judgement.sub_indication.value}" if judgement.sub_indication else ""
    assert f"{judgement.indication.value}{sub}" == expect
    reasons = [judgement.reasons, *(one.reasons for one in judgement.signatures)]
    assert judgement.is_passed or any(reasons)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_has_sound_and_broken_vectors(kind: str) -> None:
    names = {path.stem for path in VECTORS if path.stem.startswith(kind)}

    assert f"{kind}-sound" in names
    assert len(names) > 6
