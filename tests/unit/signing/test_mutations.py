"""No byte is free: whatever single byte changes, nothing passes any more."""

from __future__ import annotations

import random

import pytest

from signing.enveloped import sign_xml
from signing.indication import Indication
from signing.purpose import Purpose
from signing.verify import judge_container, judge_xml
from tests.builders.signing import NOW, pki, sealed

SAMPLES = 400
RECEIPT = '<receipt xmlns="urn:test"><from>H28</from><to>Bình Định</to></receipt>'.encode()


def mutations(content: bytes, seed: int) -> list[tuple[int, bytes]]:
    """Return copies with one byte changed, at places and to values drawn from `seed`."""
    draw = random.Random(seed)  # a repeatable sample, no secret
    found: list[tuple[int, bytes]] = []
    for _ in range(SAMPLES):
        position = draw.randrange(len(content))
        flip = draw.choice((0x01, 0x20, 0x80, draw.randrange(1, 256)))
        changed = bytes((content[position] ^ flip,))
        found.append((position, content[:position] + changed + content[position + 1 :]))
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_no_changed_byte_of_a_container_passes(seed: int) -> None:
    trust = pki().trust()
    content = sealed()
    assert judge_container(content, trust=trust, at=NOW).indication is Indication.TOTAL_PASSED

    passed = [
        position
        for position, changed in mutations(content, seed)
        if judge_container(changed, trust=trust, at=NOW).indication is Indication.TOTAL_PASSED
    ]

    assert passed == []


def test_no_changed_byte_of_an_enveloped_document_passes() -> None:
    trust = pki().trust()
    purposes = frozenset({Purpose.SEAL})
    content = sign_xml(
        RECEIPT, signer=pki().signers[Purpose.SEAL], timestamper=pki().timestamper(), at=NOW
    )

    passed = [
        position
        for position, changed in mutations(content, 3)
        if judge_xml(changed, trust=trust, at=NOW, purposes=purposes).indication
        is Indication.TOTAL_PASSED
    ]

    assert passed == []


def test_no_removed_or_added_byte_passes() -> None:
    trust = pki().trust()
    content = sealed()
    draw = random.Random(4)  # a repeatable sample, no secret
    for _ in range(100):
        position = draw.randrange(len(content))
        for changed in (
            content[:position] + content[position + 1 :],
            content[:position] + b"\x00" + content[position:],
        ):
            judgement = judge_container(changed, trust=trust, at=NOW)
            assert judgement.indication is not Indication.TOTAL_PASSED
