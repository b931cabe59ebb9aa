"""References of foreign signatures: URIs and transforms, turned into the octets that were digested.

Nothing is fetched: a reference names the document, an element of it by Id, or a file that was
given.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from lxml import etree

from dossier.errors import XmlRefused
from signing.algorithms import DIGEST_BY_URI
from signing.errors import SignatureMalformed
from signing.indication import SubIndication
from signing.judgement import PASSED, Verdict, failed, indeterminate, unknown_algorithm
from signing.policy import WEAK_ALGORITHMS
from signing.transforms import (
    loose_base64,
    octets_of_file,
    octets_of_nodes,
    parse_foreign,
    read_steps,
)
from signing.unsigned import DS

MAX_REFERENCES: Final = 1000

_ID_NAMES: Final = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
_POINTER: Final = re.compile(r"#xpointer\(id\((['\"])([^'\"]+)\1\)\)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """One reference and what it points at."""

    uri: str
    type: str
    identity: str  # the reference's own Id, "" without one
    name: str | None  # of the file; "" for the enclosing document or a part of it
    target: etree._Element | None  # the element, when it is one of the signature's document
    whole: bool  # the whole enclosing document is covered
    octets: bytes | memoryview | None  # what is digested; None when it was not found
    verdict: Verdict
    digest: str  # `hashlib` name, empty for one that is not listed


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What a signature stands in."""

    root: etree._Element
    by_id: Mapping[str, etree._Element]
    files: Mapping[str, bytes | memoryview]  # by name
    # Of files, by name and hash: a signature may name one a thousand times.
    digests: dict[tuple[str, str], bytes] = field(default_factory=dict)


def index_ids(root: etree._Element) -> dict[str, etree._Element]:
    """Return the elements by Id; raise `SignatureMalformed` for one that comes twice (row 2).

    Tools number the references of each signature anew: such an Id names nothing where it comes
    twice, which spoils nothing as long as nothing refers to it.
    """
    found: dict[str, etree._Element] = {}
    unclear: set[str] = set()
    for element in root.iter("*"):
        for name in _ID_NAMES:
            value = element.get(name)
            if value is None:
                continue
            first = found.setdefault(str(value), element)
            if first is element:
                continue
            if not first.tag == element.tag == f"{{{DS}}}Reference":
                raise SignatureMalformed("expected distinct Ids, got one twice", reason="id")
            unclear.add(str(value))
    return {value: element for value, element in found.items() if value not in unclear}


def text_of(element: etree._Element | None) -> str:
    """Return an element's text, "" when it is missing; children are refused."""
    if element is None:
        return ""
    if len(element):
        raise SignatureMalformed("expected text, got elements", reason="shape")
    return element.text or ""


def one(parent: etree._Element, namespace: str, name: str) -> etree._Element:
    """Return the only child of that name; raise `SignatureMalformed`."""
    found = parent.findall(f"{{{namespace}}}{name}")
    if len(found) != 1:
        raise SignatureMalformed(f"expected one {name}, got {len(found)}", reason="shape")
    return found[0]


def resolve(
    reference: etree._Element, signature: etree._Element, surroundings: Surroundings
) -> Resolved:
    """Return what a reference points at and whether its digest holds; raises for what we refuse."""
    uri = reference.get("URI")
    steps = read_steps(reference)
    if uri is None:
        # Only whoever sent it knows what is meant; one file beside it leaves no choice.
        names = list(surroundings.files)
        if len(names) != 1:
            return _judged(reference, name="", target=None, octets=None, whole=False)
        uri = quote(names[0])
    if uri and not uri.startswith("#"):
        name = file_name(uri)
        octets = surroundings.files.get(name)
        octets = None if octets is None else octets_of_file(octets, steps)
        digests = None if steps else surroundings.digests
        return _judged(
            reference, name=name, target=None, octets=octets, whole=False, digests=digests
        )
    whole, comments, target = _same_document(uri, surroundings)
    if target is None and not whole:
        return _judged(reference, name="", target=None, octets=None, whole=False)
    octets = octets_of_nodes(
        surroundings.root if target is None else target,
        steps,
        signature=signature,
        whole=whole,
        comments=comments,
    )
    return _judged(reference, name="", target=target, octets=octets, whole=whole)


def _same_document(
    uri: str, surroundings: Surroundings
) -> tuple[bool, bool, etree._Element | None]:
    """Return whether the whole document is meant, with comments, and else the element."""
    if uri == "":
        return True, False, None
    if uri == "#xpointer(/)":
        return True, True, None
    pointer = _POINTER.fullmatch(uri)
    identity = pointer.group(2) if pointer else uri[1:]
    if not identity or "(" in identity:
        raise SignatureMalformed("expected an Id, got another pointer", reason="uri")
    return False, pointer is not None, surroundings.by_id.get(identity)


def file_name(uri: str) -> str:
    """Return the file name of a reference: percent-decoded once, UTF-8 (row 30)."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", uri) or "#" in uri or "?" in uri:
        raise SignatureMalformed("expected a file of the container, got an address", reason="uri")
    try:
        name = unquote_to_bytes(uri).decode()
    except UnicodeDecodeError:
        return uri
    separators = uri.count("/")
    return name.removeprefix("./") if name.count("/") == separators else uri


def detached_names(content: bytes, *, unnamed: str = "") -> tuple[str, ...]:
    """Return the names of the files that the references of an XML document point at.

    `unnamed` is the URI to take for a reference that has none.
    """
    try:
        root = parse_foreign(content)
    except XmlRefused:
        return ()
    found: dict[str, None] = {}
    for reference in islice(root.iter(f"{{{DS}}}Reference"), MAX_REFERENCES):
        uri = reference.get("URI", unnamed)
        if uri and not uri.startswith("#"):
            with suppress(SignatureMalformed):
                found[file_name(uri)] = None
    return tuple(found)


def _judged(
    reference: etree._Element,
    *,
    name: str,
    target: etree._Element | None,
    octets: bytes | memoryview | None,
    whole: bool,
    digests: dict[tuple[str, str], bytes] | None = None,
) -> Resolved:
    uri = reference.get("URI", "")
    return Resolved(
        uri=uri,
        type=reference.get("Type", ""),
        identity=reference.get("Id", ""),
        name=name,
        target=target,
        whole=whole,
        octets=octets,
        verdict=_judge_digest(reference, octets, name or uri, digests),
        digest=DIGEST_BY_URI.get(one(reference, DS, "DigestMethod").get("Algorithm", ""), ""),
    )


def _judge_digest(
    reference: etree._Element,
    octets: bytes | memoryview | None,
    name: str,
    digests: dict[tuple[str, str], bytes] | None,
) -> Verdict:
    """Judge the digest of a reference; `digests` remembers those of whole files."""
    stated = loose_base64(text_of(one(reference, DS, "DigestValue")))
    algorithm = one(reference, DS, "DigestMethod").get("Algorithm", "")
    if octets is None:
        return indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "file_missing", name=name)
    if algorithm in WEAK_ALGORITHMS:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, "weak_algorithm", algorithm=algorithm
        )
    if algorithm not in DIGEST_BY_URI:
        return unknown_algorithm(algorithm)
    key = (name, DIGEST_BY_URI[algorithm])
    known = None if digests is None else digests.get(key)
    actual = known or hashlib.new(key[1], octets).digest()
    if digests is not None:
        digests[key] = actual
    if actual != stated:
        return failed(SubIndication.HASH_FAILURE, "file_changed", name=name)
    return PASSED
