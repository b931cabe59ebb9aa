"""No byte is free: whatever single byte changes, nothing passes any more."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from dossier import safexml
from dossier.errors import XmlRefused
from signing import zipfile
from signing.enveloped import sign_xml
from signing.indication import Indication
from signing.judgement import Level
from signing.purpose import Purpose
from signing.verify import judge_container, judge_xml
from tests.builders.foreign import ENVELOPED, EXCLUSIVE, reference, signed, template
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


# Elements of one signature, without what is inside them: openings, closings, and text stay apart.
_TAG = re.compile(rb"<(/?)([A-Za-z0-9:]+)[^>]*?(/?)>")


def elements(document: bytes) -> list[tuple[int, int, int]]:
    """Return begin, end and depth of every element, in the order of their ends."""
    found: list[tuple[int, int, int]] = []
    open_at: list[int] = []
    for match in _TAG.finditer(document):
        if match.group(3):
            found.append((match.start(), match.end(), len(open_at)))
        elif match.group(1):
            found.append((open_at.pop(), match.end(), len(open_at)))
        else:
            open_at.append(match.start())
    return found


def rearranged(document: bytes) -> Iterator[bytes]:
    """Yield copies with one element removed, one doubled, or two neighbours exchanged."""
    found = elements(document)
    for begin, end, _ in found:
        yield document[:begin] + document[end:]
        yield document[:end] + document[begin:end] + document[end:]
    for begin, end, depth in found:
        for other_begin, other_end, other_depth in found:
            if other_begin == end and other_depth == depth:
                first, second = document[begin:end], document[other_begin:other_end]
                if first != second:
                    yield document[:begin] + second + first + document[other_end:]


def test_no_element_of_a_signature_may_be_removed_doubled_or_moved() -> None:
    trust = pki().trust()
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(sealed()).entries]
    (_, document) = entries[-1]
    tried = 0
    for changed in rearranged(document):
        tried += 1
        content = zipfile.write([*entries[:-1], (entries[-1][0], changed)])
        judgement = judge_container(content, trust=trust, at=NOW)
        # Without its time-stamp, which nobody signed, the signature still holds: one level lower.
        level = judgement.signatures[-1].level if judgement.signatures else None
        assert not judgement.is_passed or level is Level.B_B, changed
    assert tried > 100


def test_no_entry_of_a_container_may_be_removed_doubled_or_moved() -> None:
    trust = pki().trust()
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(sealed()).entries]
    for position, (name, content) in enumerate(entries):
        rest = entries[:position] + entries[position + 1 :]
        changed = [rest, [*entries, (f"copy-{position}", content)]]
        changed += [[*rest[:to], (name, content), *rest[to:]] for to in range(len(entries))]
        for one in changed:
            if one != entries:
                judged = judge_container(zipfile.write(one), trust=trust, at=NOW)
                assert not judged.is_passed, [found for found, _ in one]


def test_no_part_of_a_foreign_signature_may_be_removed_doubled_or_moved(tmp_path: Path) -> None:
    document = signed(f"<r><a>1</a><b>2</b>{template(reference('', ENVELOPED, EXCLUSIVE))}</r>",
                      tmp_path)  # fmt: skip
    trust = pki().trust()
    assert judge_xml(document, trust=trust, at=NOW).is_passed
    survived = []
    for changed in rearranged(document):
        if judge_xml(changed, trust=trust, at=NOW).is_passed:
            survived.append(changed)
    # An enveloped signature may stand anywhere in the root, and KeyInfo, which this one does not
    # sign, may bring a certificate twice; nothing else may be anywhere else.
    assert {taken_apart(one) for one in survived} <= {taken_apart(document)}


def test_no_byte_of_a_signed_part_of_a_foreign_document_may_change(tmp_path: Path) -> None:
    document = signed(f"<r><a>1</a><b>2</b>{template(reference('', ENVELOPED, EXCLUSIVE))}</r>",
                      tmp_path)  # fmt: skip
    trust = pki().trust()
    parts = [
        re.search(pattern, document)
        for pattern in (rb"<r>.*?<ds:Signature", rb"(?s)<ds:SignedInfo.*?</ds:SignedInfo>",
                        rb"(?s)<xades:SignedProperties.*?</xades:SignedProperties>")
    ]  # fmt: skip
    places = [at for one in parts if one for at in range(one.start(), one.end())]
    draw = random.Random(5)  # a repeatable sample, no secret
    for at in draw.sample(places, 400):
        changed = document[:at] + bytes((document[at] ^ 0x01,)) + document[at + 1 :]
        judgement = judge_xml(changed, trust=trust, at=NOW)
        same = canonical_of(changed) == canonical_of(document)
        assert same or not judgement.is_passed, (at, changed[at - 20 : at + 20])


def taken_apart(document: bytes) -> tuple[bytes, bytes]:
    """Return the document without its signature, and the signature without KeyInfo."""
    found = re.search(rb"(?s)<ds:Signature .*</ds:Signature>", document)
    signature = found.group() if found else b""
    bare = re.sub(rb"(?s)<ds:KeyInfo>.*</ds:KeyInfo>", b"", signature)
    return document.replace(signature, b""), bare


def canonical_of(document: bytes) -> bytes | None:
    """Return what a canonicaliser makes of a document: white space in a tag is no change."""
    try:
        return etree.tostring(safexml.parse(document), method="c14n", exclusive=True)
    except XmlRefused:
        return None
