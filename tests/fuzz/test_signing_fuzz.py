"""Containers, signed XML and tokens under coverage-guided mutation, a bounded time each."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

from signing.tokenfile import judge_token
from signing.verify import judge_container, judge_xml
from tests.builders.fuzz_seeds import AT, seeds, trust

ROOT = Path(__file__).resolve().parents[2]
# Where a failing input is kept; it is not part of the tree.
KEPT = ROOT / "var" / "fuzz"
HAS_ATHERIS = importlib.util.find_spec("atheris") is not None
KINDS = ("container", "xml", "token")


def corpus(kind: str, folder: Path) -> Path:
    folder.mkdir()
    for number, seed in enumerate(dict.fromkeys(seeds(kind))):
        (folder / f"{number:03}").write_bytes(seed)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_stands_any_bytes(kind: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    if not HAS_ATHERIS:
        by_chance(kind)
        return
    is_deep = pytestconfig.getoption("--hypothesis-profile") == "deep"
    seconds = 120 if is_deep else 6
    KEPT.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        [
            sys.executable, "-m", "tests.fuzz.signing_targets", kind,
            f"-seed={random.randrange(1, 2**31) if is_deep else 1}",
            "-runs=-1" if is_deep else "-runs=3000",
            f"-max_total_time={seconds}", "-timeout=10", "-max_len=32768",
            f"-artifact_prefix={KEPT}/{kind}-", str(corpus(kind, tmp_path / "corpus")),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=seconds * 3 + 60,
    )  # fmt: skip

    assert result.returncode == 0, result.stderr[-3000:]
    assert "Done" in result.stderr


def by_chance(kind: str) -> None:
    """Mutate the seeds without guidance, where the guiding library has no wheel."""
    draw, given = random.Random(1), trust()
    known = list(dict.fromkeys(seeds(kind)))
    for _ in range(600):
        content = bytearray(draw.choice(known))
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(content))
            content[at : at + draw.randrange(3)] = draw.randbytes(draw.randrange(3))
        octets = bytes(content)
        if kind == "container":
            assert octets in known or not judge_container(octets, trust=given, at=AT).is_passed
        elif kind == "xml":
            judge_xml(octets, trust=given, at=AT)
        else:
            judge_token(octets, identity="t", files={}, trust=given, at=AT)


@pytest.mark.parametrize("kind", KINDS)
def test_the_unguided_mutation_finds_nothing_either(kind: str) -> None:
    by_chance(kind)
