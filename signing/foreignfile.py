"""Judging signed XML documents of other tools: every signature inside, and what they cover."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from lxml import etree

from dossier.errors import XmlRefused
from signing.errors import SignatureMalformed
from signing.foreign import Foreign, judge_foreign, signatures_in
from signing.foreignparts import COUNTER_DEPTH, counter_signatures
from signing.indication import Indication, SubIndication
from signing.judge import Circumstances, unreadable
from signing.judgement import (
    PASSED,
    FileVerdict,
    Judgement,
    SignatureVerdict,
    Verdict,
    failed,
    gravest,
    indeterminate,
    whole,
)
from signing.references import Surroundings, index_ids
from signing.transforms import parse_foreign
from signing.unsigned import DS, XADES

MAX_SIGNATURES: Final = 64
MAX_WORK_BYTES: Final = 64 * 1024 * 1024  # canonicalised for one document, all references together


def judge_foreign_xml(
    content: bytes, files: Mapping[str, bytes | memoryview], circumstances: Circumstances
) -> tuple[Judgement, bytes | None]:
    """Judge an XML document with signatures inside, or a signature with `files` beside it.

    Returns also the canonical octets of the document that a signature covers as a whole.
    """
    found = judge_document("signature", content, files=files, circumstances=circumstances)
    own = FileVerdict(
        name="",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        covered_by=tuple(one.verdict.id for one in found if one.whole),
    )
    named = {name for one in found for name in one.named}
    faults = [
        failed(SubIndication.FORMAT_FAILURE, "file_not_covered", name=name)
        for name in files
        if name not in named
    ]
    verdicts = [own, *file_verdicts(files, [one.verdict for one in found])]
    verdict = gravest(*faults) if faults else PASSED
    octets = next((one.octets for one in found if one.octets is not None), None)
    return whole(verdict, [one.verdict for one in found], verdicts), octets


def judge_document(
    name: str,
    content: bytes,
    *,
    files: Mapping[str, bytes | memoryview],
    circumstances: Circumstances,
) -> list[Foreign]:
    """Return one result for each signature of a document, and at least one."""
    try:
        root = parse_foreign(content)
        _check_work(root, len(content), files)
        surroundings = Surroundings(root=root, by_id=index_ids(root), files=files)
    except XmlRefused as exc:
        return [_unread(name, _malformed("xml", exc.message))]
    except SignatureMalformed as exc:
        return [_unread(name, _malformed(str(exc.parameters.get("reason", "")), exc.message))]
    elements = signatures_in(root)
    if not elements:
        return [_unread(name, failed(SubIndication.FORMAT_FAILURE, "no_signature"))]
    if sum(1 for _ in root.iter(f"{{{DS}}}Signature")) > MAX_SIGNATURES:
        return [_unread(name, _malformed("signatures", f"expected at most {MAX_SIGNATURES}"))]
    found: list[Foreign] = []
    for number, element in enumerate(elements, start=1):
        identity = name if len(elements) == 1 else f"{name}#{number}"
        found.append(
            judge_foreign(identity, element, surroundings=surroundings, circumstances=circumstances)
        )
    whole_document = [_with_coverage(one, root, elements, found) for one in found]
    return [
        verdict
        for one, element in zip(whole_document, elements, strict=True)
        for verdict in (one, *_counters(one, element, surroundings, circumstances))
    ]


def _counters(
    countersigned: Foreign,
    element: etree._Element,
    surroundings: Surroundings,
    circumstances: Circumstances,
    *,
    depth: int = 1,
) -> Iterator[Foreign]:
    """Yield the verdicts on counter signatures: over the value of the one they stand in."""
    identity = countersigned.verdict.id
    value = element.find(f"{{{DS}}}SignatureValue")
    for number, inner in enumerate(counter_signatures(element), start=1):
        name = f"{identity}/counter-{number}"
        if depth > COUNTER_DEPTH:
            yield _unread(name, _malformed("counter", "expected fewer counter signatures"))
            continue
        found = judge_foreign(name, inner, surroundings=surroundings, circumstances=circumstances)
        if value is not None and value in found.covered:
            found = replace(found, verdict=replace(found.verdict, covers=(identity,)))
        elif found.verdict.indication is Indication.TOTAL_PASSED:
            elsewhere = failed(SubIndication.FORMAT_FAILURE, "counter_elsewhere", id=identity)
            found = replace(found, verdict=replace(found.verdict, covers=()))
            found = found.with_verdict(elsewhere)
        # What it covers is a part of a signature, never of the document.
        yield replace(found, covered=(), whole=False, octets=None, named=())
        yield from _counters(found, inner, surroundings, circumstances, depth=depth + 1)


def _check_work(root: etree._Element, size: int, files: Mapping[str, bytes | memoryview]) -> None:
    """Raise `SignatureMalformed` before canonicalising more than a fair document would need."""
    largest = max((len(content) for content in files.values()), default=0)
    work = 0
    for reference in root.iter(f"{{{DS}}}Reference"):
        if reference.get("URI", "")[:1] in ("", "#"):
            work += size
        elif len(reference.findall(f"{{{DS}}}Transforms/*")):
            work += largest
    if work > MAX_WORK_BYTES:
        raise SignatureMalformed("expected fewer references to whole documents", reason="work")


def _unread(name: str, verdict: Verdict) -> Foreign:
    return Foreign(
        verdict=unreadable(name, verdict), covered=(), whole=False, octets=None, named=()
    )


def _malformed(reason: str, detail: str) -> Verdict:
    return failed(
        SubIndication.FORMAT_FAILURE, "signature_unsupported", reason=reason, detail=detail[:200]
    )


def _with_coverage(
    one: Foreign,
    root: etree._Element,
    signatures: Sequence[etree._Element],
    found: Sequence[Foreign],
) -> Foreign:
    """Return the result, spoilt when the document holds parts that no signature covers (row 1)."""
    covered = {element for other in found for element in other.covered}
    if any(other.whole for other in found):
        covered.add(root)
    parts = list(_uncovered(root, covered, set(signatures)))
    if not parts:
        return one
    problem = indeterminate(
        SubIndication.SIG_CONSTRAINTS_FAILURE, "part_not_covered", name=parts[0][:120]
    )
    verdict = gravest(
        Verdict(
            indication=one.verdict.indication,
            sub_indication=one.verdict.sub_indication,
            reasons=one.verdict.reasons,
        ),
        problem,
    )
    return one.with_verdict(verdict)


def _uncovered(
    root: etree._Element, covered: set[etree._Element], signatures: set[etree._Element]
) -> Iterator[str]:
    """Yield the tags of elements that neither are covered nor only hold what is."""
    known = covered | signatures
    above = {ancestor for element in known for ancestor in element.iterancestors()}
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element in signatures:
            yield from _uncovered_objects(element, covered)
        elif element in covered:
            continue
        elif element not in above or _has_text(element):
            yield str(element.tag)
        else:
            waiting += element.iterchildren("*")


def _has_text(element: etree._Element) -> bool:
    texts = [element.text, *(child.tail for child in element)]
    return any(text and text.strip() for text in texts)


def _uncovered_objects(signature: etree._Element, covered: set[etree._Element]) -> Iterator[str]:
    for found in signature.findall(f"{{{DS}}}Object"):
        properties = found.find(f"{{{XADES}}}QualifyingProperties")
        inside = any(element in covered for element in found.iter("*"))
        if properties is None and not inside:
            yield str(found.tag)


def file_verdicts(
    files: Mapping[str, bytes | memoryview], signatures: Sequence[SignatureVerdict]
) -> list[FileVerdict]:
    """Return the files, each with the signatures that cover it."""
    return [
        FileVerdict(
            name=name,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            covered_by=tuple(one.id for one in signatures if name in one.covers),
        )
        for name, content in files.items()
    ]
