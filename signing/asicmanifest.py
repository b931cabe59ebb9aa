"""ASiCManifest (EN 319 162-1 annex A): which files a CMS signature or a time-stamp is over.

Read from containers of other tools; a manifest proves nothing until what it names signs it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from dossier import safexml
from dossier.errors import XmlRefused
from signing.algorithms import DIGEST_BY_URI
from signing.asic import ASIC
from signing.errors import SignatureMalformed
from signing.indication import SubIndication
from signing.judgement import (
    PASSED,
    Verdict,
    failed,
    gravest,
    indeterminate,
    unknown_algorithm,
)
from signing.policy import WEAK_ALGORITHMS
from signing.references import MAX_REFERENCES, file_name, one, text_of
from signing.transforms import CAPS, loose_base64
from signing.unsigned import DS

_LISTING: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
NAME: Final = re.compile(r"META-INF/[^/]*ASiC(?:Archive)?Manifest[^/]*\.xml", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """One file that a manifest names."""

    name: str
    algorithm: str  # URI of the digest
    digest: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A manifest that could be read."""

    name: str
    content: bytes | memoryview
    signature: str  # name of the signature or time-stamp over it
    files: tuple[Named, ...]

    def judge(self, contents: Mapping[str, bytes | memoryview]) -> tuple[tuple[str, ...], Verdict]:
        """Return the names whose digests hold, and the verdict on all of them."""
        held: list[str] = []
        verdicts = [PASSED]
        for file in self.files:
            verdict = _judge_file(file, contents.get(file.name))
            verdicts.append(verdict)
            held += [file.name] if verdict.is_passed else []
        return tuple(held), gravest(*verdicts)


def _judge_file(file: Named, content: bytes | memoryview | None) -> Verdict:
    if content is None:
        return indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "file_missing", name=file.name)
    if file.algorithm in WEAK_ALGORITHMS:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
            "weak_algorithm",
            algorithm=file.algorithm,
        )
    if file.algorithm not in DIGEST_BY_URI:
        return unknown_algorithm(file.algorithm)
    if hashlib.new(DIGEST_BY_URI[file.algorithm], content).digest() != file.digest:
        return failed(SubIndication.HASH_FAILURE, "file_changed", name=file.name)
    return PASSED


def parse_manifest(name: str, content: bytes | memoryview) -> Manifest:
    """Return the manifest; raise `SignatureMalformed`."""
    try:
        root = safexml.parse(bytes(content), caps=CAPS)
    except XmlRefused as exc:
        raise SignatureMalformed(f"expected an ASiCManifest: {exc.message}", reason="xml") from exc
    if root.tag != f"{{{ASIC}}}ASiCManifest":
        raise SignatureMalformed("expected an ASiCManifest, got another root", reason="manifest")
    signature = one(root, ASIC, "SigReference").get("URI", "")
    references = root.findall(f"{{{ASIC}}}DataObjectReference")
    if not 0 < len(references) <= MAX_REFERENCES:
        raise SignatureMalformed("expected references to files", reason="references")
    files = tuple(_named(reference) for reference in references)
    if len({file.name for file in files}) != len(files):
        raise SignatureMalformed("expected each file once, got one twice", reason="references")
    return Manifest(name=name, content=content, signature=file_name(signature), files=files)


def listed_files(content: bytes | memoryview) -> tuple[str, ...] | None:
    """Return the files of a META-INF/manifest.xml (OpenDocument), None when it is unreadable."""
    try:
        root = safexml.parse(bytes(content), caps=CAPS)
    except XmlRefused:
        return None
    entries = root.iter(f"{{{_LISTING}}}file-entry")
    paths = [one.get(f"{{{_LISTING}}}full-path", "") for one in entries]
    return tuple(path for path in paths if not path.endswith("/"))


def _named(reference: etree._Element) -> Named:
    return Named(
        name=file_name(reference.get("URI", "")),
        algorithm=one(reference, DS, "DigestMethod").get("Algorithm", ""),
        digest=loose_base64(text_of(one(reference, DS, "DigestValue"))),
    )
