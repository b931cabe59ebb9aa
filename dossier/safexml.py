"""The only door for XML from outside: caps first, then a parser that fetches and expands nothing.

Everything in the project that parses XML calls `parse`; no other module builds an lxml parser.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import le
from typing import Final, NoReturn

from lxml import etree

from dossier.errors import LibraryTooOld, XmlRefused

_DECLARATION: Final = re.compile(rb"\A<\?xml[^>]{0,200}\?>")
_ENCODING: Final = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ROOT: Final = re.compile(rb"<[A-Za-z_:\x80-\xff]")
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_OLDEST: Final = (2, 10, 0)
_PLAIN_TAGS: Final = 2_000
_COUNTED: Final = ("depth", "elements", "namespaces", "namespaces", "attributes")
_ALLOWED_ENCODINGS: Final = frozenset({b"utf-8", b"utf8", b"us-ascii"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """Limits that hold before anything is canonicalised or walked (interchange.md §12, B and C)."""

    size_bytes: int = 8 * 1024 * 1024
    depth: int = 64
    elements: int = 100_000
    namespaces_per_element: int = 32
    namespaces_per_document: int = 64
    attributes_per_element: int = 256


DEFAULT_CAPS: Final = Caps()


def demand_library(version: tuple[int, ...] = etree.LIBXML_VERSION) -> None:
    """Raise `LibraryTooOld` for a libxml2 before 2.10 (interchange.md §12 row 12)."""
    if version < _OLDEST:
        wanted, found = (".".join(map(str, one)) for one in (_OLDEST, version))
        raise LibraryTooOld(
            f"expected libxml2 {wanted} or newer, got {found}", wanted=wanted, found=found
        )


def parse(
    content: bytes, *, caps: Caps = DEFAULT_CAPS, keep_comments: bool = False
) -> etree._Element:
    """Return the root of `content`, or raise `XmlRefused`.

    Comments and processing instructions are refused unless `keep_comments` is set: they split
    text nodes, so a reader and a canonicaliser would see different values (interchange.md §12
    row 21). With `keep_comments` they stay in the tree, for diagrams and foreign signatures.
    """
    if len(content) > caps.size_bytes:
        raise XmlRefused(
            f"expected at most {caps.size_bytes} bytes of XML, got {len(content)}",
            limit=caps.size_bytes,
            reason="size",
        )
    _check_encoding(content)
    _check_prolog(content)
    try:
        root = etree.fromstring(content, _parsers.parser)
    except etree.XMLSyntaxError as exc:
        line = exc.lineno or 0
        raise XmlRefused(
            f"expected well-formed XML, got a syntax error in line {line}",
            line=line,
            reason="syntax",
        ) from exc
    _check_tree(root, content, caps, keep_comments=keep_comments)
    return root


class _Parsers(threading.local):
    """One parser per thread: making one costs as much as parsing something small."""

    def __init__(self) -> None:
        self.parser = _parser()


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_blank_text=False,
        remove_comments=False,
        remove_pis=False,
        strip_cdata=True,
        # Never collect_ids=False: lxml says so to libxml2 by a bit of the same word that asks for
        # the external DTD, which is then read from disk whatever load_dtd says.
    )


_parsers: Final = _Parsers()


def _check_encoding(content: bytes) -> None:
    body = content.removeprefix(b"\xef\xbb\xbf")
    declaration = _DECLARATION.match(body)
    declared = _ENCODING.search(declaration.group()) if declaration else None
    if declared and declared.group(1).lower() not in _ALLOWED_ENCODINGS:
        raise XmlRefused("expected UTF-8 XML, got another declared encoding", reason="encoding")
    if b"\x00" in body[:64]:
        raise XmlRefused("expected UTF-8 XML, got null bytes", reason="encoding")


def _check_prolog(content: bytes) -> None:
    # Before the parser sees it: nothing may depend on how a library treats a DOCTYPE.
    root = _ROOT.search(content)
    if _DOCTYPE.search(content, 0, root.start() if root else len(content)):
        raise XmlRefused("expected no DOCTYPE, got one", reason="doctype")


def _check_tree(root: etree._Element, content: bytes, caps: Caps, *, keep_comments: bool) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlRefused("expected no DOCTYPE, got one", reason="doctype")
    if not keep_comments and (root.getprevious() is not None or root.getnext() is not None):
        raise XmlRefused("expected one root element alone, got a comment or PI", reason="comment")
    if not _is_plain(content, caps) or _deeper_than(caps.depth)(root):
        _walk(root, caps, keep_comments=keep_comments)


def _walk(root: etree._Element, caps: Caps, *, keep_comments: bool) -> None:
    """Refuse comments, and the first count that is over its cap."""
    counted = 0
    namespaces = 0
    limits = (
        caps.depth,
        caps.elements,
        caps.namespaces_per_document,
        caps.namespaces_per_element,
        caps.attributes_per_element,
    )
    in_scope = [0]  # namespaces of the open elements, outermost first
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            if not keep_comments:
                raise XmlRefused("expected no comments or PIs, got one", reason="comment")
            continue
        if event == "end":
            in_scope.pop()
            continue
        counted += 1
        of_this = len(node.nsmap)
        namespaces += max(of_this - in_scope[-1], 0)
        in_scope.append(of_this)
        figures = (len(in_scope) - 1, counted, namespaces, of_this, len(node.attrib))
        if not all(map(le, figures, limits)):
            _refuse_counts(figures, limits)


def _is_plain(content: bytes, caps: Caps) -> bool:
    """Tell by counting characters that a walk would find neither comment nor count over a cap.

    There are at least as many of them as of what they stand for: elements and their ends, `xmlns`
    declarations, attributes. Documents that this does not settle are walked.
    """
    return (
        b"<!" not in content
        and content.find(b"<?", 1) < 0  # a declaration stands at 0
        and content.count(b"<") <= min(caps.elements, _PLAIN_TAGS)
        and content.count(b"xmlns")
        <= min(caps.namespaces_per_element, caps.namespaces_per_document)
        and content.count(b"=") <= caps.attributes_per_element
    )


@cache
def _deeper_than(depth: int) -> etree.XPath:
    """Return what tells whether any element stands deeper than that; the root stands at 1."""
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


def _refuse_counts(figures: Sequence[int], limits: Sequence[int]) -> NoReturn:
    for what, value, limit in zip(_COUNTED, figures, limits, strict=True):
        if value > limit:
            raise XmlRefused(
                f"expected at most {limit} {what}, got {value}", limit=limit, reason=what
            )
    raise AssertionError("expected a figure over its limit")
