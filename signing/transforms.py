"""Transforms of foreign signatures: from the nodes or octets of a reference to what was digested.

XPath and XSLT are never run (row 10). Of XPath the few expressions are known by their text that
the field uses to leave signatures out; every other one is not supported.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

from lxml import etree

from dossier import safexml
from dossier.errors import XmlRefused
from signing.c14n import DEFAULT, Form, canonical, form_of
from signing.errors import SignatureMalformed
from signing.unsigned import DS, EXCLUSIVE

MAX_TRANSFORMS: Final = 8
CAPS: Final = safexml.Caps(size_bytes=16 * 1024 * 1024)
_MAX_OCTET_STEPS: Final = 2  # bounds the work of one reference

_DECLARATION: Final = re.compile(
    rb"<\?xml\s[^>]{0,80}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"'][^>]{0,40}\?>"
)
_ENCODINGS: Final = (b"iso-8859-1", b"us-ascii")  # ASCII is a part of Latin-1

ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_BASE64_URI: Final = "http://www.w3.org/2000/09/xmldsig#base64"
_XPATH_URI: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
_FILTER_URI: Final = "http://www.w3.org/2002/06/xmldsig-filter2"


class Plain(Enum):
    """Steps without parameters."""

    OWN = "without the signature itself"
    ALL = "without every signature"
    TOP = "without the signatures that are children of the root"
    BASE64 = "decoded from base64"


Step = Form | Plain
_CUTS: Final = (Plain.OWN, Plain.ALL, Plain.TOP)

_PREFIX: Final = r"([A-Za-z_][\w.-]*):Signature"
# By their text without white space; the namespace of each prefix is checked.
_XPATHS: Final = (
    (re.compile(rf"not\(ancestor-or-self::{_PREFIX}\)"), Plain.ALL),
    # How XML-DSig §6.6.4 itself spells enveloped-signature.
    (
        re.compile(
            rf"count\(ancestor-or-self::{_PREFIX}\|here\(\)/ancestor::{_PREFIX}\[1\]\)"
            rf">count\(ancestor-or-self::{_PREFIX}\)"
        ),
        Plain.OWN,
    ),
)
_SUBTRACTED: Final = (
    (re.compile(rf"(?:/descendant::|//){_PREFIX}"), Plain.ALL),
    (re.compile(rf"/\*/{_PREFIX}"), Plain.TOP),
    (re.compile(rf"here\(\)/ancestor::{_PREFIX}(?:\[1\])?"), Plain.OWN),
)


def read_form(element: etree._Element) -> Form:
    """Return the canonicalisation that an element's Algorithm names."""
    uri = element.get("Algorithm", "")
    lists = element.findall(f"{{{EXCLUSIVE}}}InclusiveNamespaces")
    if len(element) != len(lists) or len(lists) > 1:
        raise SignatureMalformed("expected a plain canonicalisation method", reason="c14n")
    form = form_of(uri, prefix_list=lists[0].get("PrefixList", "") if lists else "")
    if form is None:
        raise SignatureMalformed(
            f"expected a known canonicalisation, got {uri[:80]}", reason="c14n"
        )
    return form


def read_steps(reference: etree._Element) -> list[Step]:
    """Return the transforms of a reference in order; raise `SignatureMalformed` for others."""
    wrappers = reference.findall(f"{{{DS}}}Transforms")
    if len(wrappers) > 1:
        raise SignatureMalformed("expected one list of transforms", reason="transform")
    found = list(wrappers[0]) if wrappers else []
    if len(found) > MAX_TRANSFORMS or any(one.tag != f"{{{DS}}}Transform" for one in found):
        raise SignatureMalformed("expected a few transforms", reason="transform")
    return [_step(one) for one in found]


def _step(transform: etree._Element) -> Step:
    uri = transform.get("Algorithm", "")
    if uri in (ENVELOPED, _BASE64_URI):
        if len(transform):
            raise SignatureMalformed("expected a plain transform", reason="transform")
        return Plain.OWN if uri == ENVELOPED else Plain.BASE64
    if uri == _XPATH_URI:
        return _known(_expression(transform, DS), _XPATHS)
    if uri == _FILTER_URI:
        expression = _expression(transform, _FILTER_URI)
        if expression.get("Filter") != "subtract":
            raise SignatureMalformed("expected a filter that subtracts", reason="transform")
        return _known(expression, _SUBTRACTED)
    return read_form(transform)


def _expression(transform: etree._Element, namespace: str) -> etree._Element:
    found = list(transform)
    if [one.tag for one in found] != [f"{{{namespace}}}XPath"] or len(found[0]):
        raise SignatureMalformed("expected one XPath expression", reason="transform")
    return found[0]


def _known(expression: etree._Element, table: Sequence[tuple[re.Pattern[str], Plain]]) -> Plain:
    text = "".join((expression.text or "").split())
    for pattern, step in table:
        match = pattern.fullmatch(text)
        if match and all(expression.nsmap.get(one) == DS for one in match.groups()):
            return step
    raise SignatureMalformed(
        f"expected an XPath that leaves signatures out, got {text[:80]}", reason="transform"
    )


def octets_of_nodes(
    element: etree._Element,
    steps: Sequence[Step],
    *,
    signature: etree._Element,
    whole: bool,
    comments: bool,
) -> bytes:
    """Return what the steps make of an element's subtree, or of the `whole` document around it."""
    rest = list(steps)
    without: set[etree._Element] = set()
    while rest and rest[0] in _CUTS:
        without.update(_left_out(rest.pop(0), signature))
    if rest and rest[0] is Plain.BASE64 and not whole and not without:
        rest.pop(0)
        octets = loose_base64(_text(element))
    else:
        form = DEFAULT
        if rest and isinstance(rest[0], Form):
            form, rest = rest[0], rest[1:]
        # A same-document reference that is no XPointer leaves comments out (XML-DSig §4.4.3.3).
        if not comments:
            form = Form(method=form.method, prefixes=form.prefixes)
        octets = canonical(element, form, whole=whole, without=frozenset(without))
    return _further(octets, rest, room=_MAX_OCTET_STEPS - 1)


def octets_of_file(octets: bytes | memoryview, steps: Sequence[Step]) -> bytes | memoryview:
    """Return what the steps make of a file."""
    return _further(octets, steps, room=_MAX_OCTET_STEPS) if steps else octets


def _further(octets: bytes | memoryview, steps: Sequence[Step], *, room: int) -> bytes:
    if len(steps) > room or any(one in _CUTS for one in steps):
        raise SignatureMalformed(
            "expected what is left out first, then at most two more transforms",
            reason="transform",
        )
    made = bytes(octets)
    for step in steps:
        if isinstance(step, Form):
            made = canonical(_parsed(made), step, whole=True)
        else:
            made = _decoded(made)
    return made


def parse_foreign(content: bytes) -> etree._Element:
    """Return the root of another tool's document; raise `XmlRefused`.

    Canonical forms are UTF-8, so the two other encodings that tools still write are read as well.
    """
    declared = _DECLARATION.match(content)
    if declared and declared.group(1).lower() in _ENCODINGS:
        text = content[declared.end() :].decode("latin-1")
        content = text.encode()
    return safexml.parse(content, caps=CAPS, keep_comments=True)


def _parsed(octets: bytes) -> etree._Element:
    try:
        return parse_foreign(octets)
    except XmlRefused as exc:
        raise SignatureMalformed("expected XML to canonicalise", reason="transform") from exc


def _decoded(octets: bytes) -> bytes:
    try:
        return loose_base64(octets.decode("ascii"))
    except UnicodeDecodeError as exc:
        raise SignatureMalformed("expected base64, got something else", reason="base64") from exc


def _left_out(cut: Step, signature: etree._Element) -> Iterator[etree._Element]:
    root = signature.getroottree().getroot()
    name = f"{{{DS}}}Signature"
    if cut is Plain.OWN:
        yield signature
    elif cut is Plain.ALL:
        yield from root.iter(name)
    else:
        yield from root.iterchildren(name)


def _text(element: etree._Element) -> str:
    if len(element):
        raise SignatureMalformed("expected base64, got elements", reason="base64")
    return element.text or ""


_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_WHITE_SPACE: Final = str.maketrans("", "", " \t\r\n")


def loose_base64(text: str) -> bytes:
    """Decode base64 after taking out exactly the white space of XML Schema (row 22)."""
    compact = text.translate(_WHITE_SPACE)
    if not _BASE64.fullmatch(compact):
        raise SignatureMalformed("expected base64, got something else", reason="base64")
    octets = base64.b64decode(compact)
    # XML Schema's base64Binary leaves no spare bits set, so there is one spelling here too.
    if base64.b64encode(octets).decode() != compact:
        raise SignatureMalformed("expected canonical base64", reason="base64")
    return octets
