"""Seals and their verification against the bare key operation (signing.md §5.1).

CPU time; the call and its baseline take turns, so that a noisy machine disturbs both alike; the
figure is the median of the rounds.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.measure import Measure
from signing.asic import DataFile, seal_container, sign_files, write_container
from signing.evidencerecord import build_records
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority
from signing.verify import judge_container
from signing.xades import Reference, SignatureRole, write_signature
from tests.builders.signing import NOW, Pki, pki

# Many short turns: a neighbour on the same core then disturbs call and baseline alike.
ROUNDS = 41
SMALL = 10 * 1024
MIB = 1024 * 1024
MICROSECOND = 1e-6
_CHUNK = MIB


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """What is measured against what, and the bound of the ratio."""

    name: str
    call: Callable[[], object]
    baseline: Callable[[], object]
    against: str  # the baseline in words
    gate: float | None
    calls: int = 20  # per round
    rounds: int = ROUNDS


class Scene:
    """Keys, files and containers of one run."""

    def __init__(self) -> None:
        self.pki: Pki = pki()
        self.seal = self.pki.signers[Purpose.SEAL]
        self.trust = self.pki.trust()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.small = os.urandom(SMALL)
        self.megabyte = os.urandom(MIB)
        self._ecdsa = ec.ECDSA(hashes.SHA256())
        self._bare = self.key.sign(b"m" * 200, self._ecdsa)
        self._public = self.key.public_key()

    def bare_sign(self) -> None:
        """Sign with P-256."""
        self.key.sign(b"m" * 200, self._ecdsa)

    def bare_verify(self) -> None:
        """Verify with P-256."""
        self._public.verify(self._bare, b"m" * 200, self._ecdsa)

    def container(self, content: bytes | Path, *, stamped: bool = False) -> bytes:
        """Seal one file."""
        return seal_container(
            [DataFile(name="letter.pdf", media_type="application/pdf", content=content)],
            signer=self.seal,
            timestamper=self.pki.timestamper() if stamped else None,
            at=NOW,
        )

    def judge(self, content: bytes | Path) -> None:
        """Judge and insist on a pass."""
        if not judge_container(content, trust=self.trust, at=NOW).is_passed:
            raise RuntimeError("expected a sound container")

    @cached_property
    def authority(self) -> TimestampAuthority:
        """The embedded time-stamping authority."""
        return TimestampAuthority(self.pki.signers[Purpose.TSA])


def run(only: str) -> Iterator[Measure]:
    """Yield the figures whose names begin with `only`."""
    scene = Scene()
    with tempfile.TemporaryDirectory() as folder:
        goals = (*_small_goals(scene), *_batch_goals(scene), *_big_goals(scene, Path(folder)))
        for goal in goals:
            if goal.name.startswith(only):
                yield measured(goal)


def _small_goals(scene: Scene) -> Iterator[Goal]:
    digest = hashlib.sha256(scene.small).digest()
    references = [Reference(uri="letter.pdf", media_type="application/pdf", sha256=digest)]

    def sign_xml() -> None:
        write_signature(
            references, signer=scene.seal, timestamper=None, at=NOW, role=SignatureRole.SEALED
        )

    plain, stamped = scene.container(scene.small), scene.container(scene.small, stamped=True)
    at = datetime(2022, 4, 12, tzinfo=UTC)

    def two_verifies() -> None:
        scene.bare_verify()
        scene.bare_verify()
        hashlib.sha256(scene.small)

    yield Goal(
        name="signing.sign_xml",
        call=sign_xml,
        baseline=scene.bare_sign,
        against="one bare P-256 signature",
        gate=2,
    )
    yield Goal(
        name="signing.seal_10k",
        call=lambda: scene.container(scene.small),
        baseline=scene.bare_sign,
        against="one bare P-256 signature",
        gate=3,
    )
    yield Goal(
        name="signing.verify_10k",
        call=lambda: scene.judge(plain),
        baseline=scene.bare_verify,
        against="one bare P-256 verification",
        gate=3.5,
    )
    yield Goal(
        name="signing.verify_10k_stamped",
        call=lambda: scene.judge(stamped),
        baseline=two_verifies,
        against="two bare P-256 verifications and the SHA-256 of 10 KB",
        gate=2.5,
    )
    yield Goal(
        name="signing.timestamp",
        call=lambda: scene.authority.stamp(digest, at=at),
        baseline=scene.bare_sign,
        against="one bare P-256 signature",
        gate=2.5,
    )


def _batch_goals(scene: Scene) -> Iterator[Goal]:
    contents = [os.urandom(SMALL) for _ in range(1000)]
    files = [
        DataFile(name=f"letter{number}.pdf", media_type="application/pdf", content=content)
        for number, content in enumerate(contents)
    ]

    def hash_all() -> None:
        for content in contents:
            hashlib.sha256(content)

    yield Goal(
        name="signing.batch_signature_1000",
        call=lambda: sign_files(
            files,
            signer=scene.seal,
            timestamper=scene.pki.timestamper(),
            at=NOW,
            role=SignatureRole.APPROVED,
        ),
        baseline=hash_all,
        against="the SHA-256 of the same 1000 files of 10 KB",
        gate=3,
        calls=1,
        rounds=9,
    )
    yield Goal(
        name="signing.evidence_records_1000",
        call=lambda: build_records(
            [hashlib.sha256(content).digest() for content in contents],
            timestamper=scene.pki.timestamper(),
        ),
        baseline=hash_all,
        against="the SHA-256 of the same 1000 files of 10 KB",
        gate=None,
        calls=1,
        rounds=9,
    )


def _big_goals(scene: Scene, folder: Path) -> Iterator[Goal]:
    sealed = scene.container(scene.megabyte)

    def sign_and_hash() -> None:
        scene.bare_sign()
        hashlib.sha256(scene.megabyte)

    def verify_and_hash() -> None:
        scene.bare_verify()
        hashlib.sha256(scene.megabyte)

    yield Goal(
        name="signing.seal_1m",
        call=lambda: scene.container(scene.megabyte),
        baseline=sign_and_hash,
        against="one bare P-256 signature and the SHA-256 of 1 MiB",
        gate=2.5,
        calls=2,
        rounds=15,
    )
    yield Goal(
        name="signing.verify_1m",
        call=lambda: scene.judge(sealed),
        baseline=verify_and_hash,
        against="one bare P-256 verification and the SHA-256 of 1 MiB",
        gate=2.5,
        calls=2,
        rounds=15,
    )
    big, target = folder / "big", folder / "big.asice"
    big.write_bytes(scene.megabyte * 50)

    def seal_big() -> None:
        with target.open("wb") as out:
            write_container(
                out,
                [DataFile(name="big.bin", media_type="application/octet-stream", content=big)],
                signer=scene.seal,
                timestamper=None,
                at=NOW,
            )

    seal_big()
    yield Goal(
        name="signing.seal_50m",
        call=seal_big,
        baseline=lambda: _hash_and_check(big),
        against="SHA-256 and CRC-32 of the same 50 MiB read from disk",
        gate=2.2,
        calls=1,
        rounds=5,
    )
    yield Goal(
        name="signing.verify_50m",
        call=lambda: scene.judge(target),
        baseline=lambda: _hash_and_check(big),
        against="SHA-256 and CRC-32 of the same 50 MiB read from disk",
        gate=2.2,
        calls=1,
        rounds=5,
    )


def _hash_and_check(path: Path) -> None:
    digest, crc32 = hashlib.sha256(), 0
    buffer = bytearray(_CHUNK)
    with path.open("rb", buffering=0) as source:
        while count := source.readinto(buffer):
            view = memoryview(buffer)[:count]
            digest.update(view)
            crc32 = zlib.crc32(view, crc32)


def measured(goal: Goal) -> Measure:
    """Return the figure of a goal."""
    goal.call()
    goal.baseline()
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(goal.rounds):
        ours.append(_cpu_seconds(goal.call, goal.calls))
        bare.append(_cpu_seconds(goal.baseline, goal.calls))
    value, baseline = statistics.median(ours), statistics.median(bare)
    return Measure(
        name=goal.name,
        value=value / MICROSECOND,
        unit="µs",
        baseline=goal.against,
        ratio=value / baseline,
        gate=goal.gate,
    )


def _cpu_seconds(call: Callable[[], object], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - started) / calls
