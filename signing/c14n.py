"""Canonical XML 1.0 and 1.1 and Exclusive XML Canonicalization 1.0, for foreign signatures.

Our own signatures are canonical as they stand and never come here. lxml's methods are wrong for
some subtrees (signing.md §3.1), so this walker does all of it: a whole document or the subtree of
one element, with elements left out where a transform asks for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lxml import etree

from signing.errors import SignatureMalformed

_XML: Final = "http://www.w3.org/XML/1998/namespace"
_BASE: Final = f"{{{_XML}}}base"
_NO_NAMESPACE: Final = ""
_WRITTEN: Final = etree.XPath("name(@*[namespace-uri() = $uri and local-name() = $local])")
_INHERITED: Final = (f"{{{_XML}}}lang", f"{{{_XML}}}space")


class Method(Enum):
    """The canonicalisation methods by their URI (without comments)."""

    INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    INCLUSIVE_11 = "http://www.w3.org/2006/12/xml-c14n11"
    EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """How to canonicalise."""

    method: Method
    with_comments: bool = False
    prefixes: frozenset[str] = frozenset()  # InclusiveNamespaces PrefixList; "" is #default


_BY_URI: Final = {
    **{method.value: Form(method=method) for method in Method},
    Method.INCLUSIVE.value + "#WithComments": Form(method=Method.INCLUSIVE, with_comments=True),
    Method.INCLUSIVE_11.value + "#WithComments": Form(
        method=Method.INCLUSIVE_11, with_comments=True
    ),
    Method.EXCLUSIVE.value + "WithComments": Form(method=Method.EXCLUSIVE, with_comments=True),
}
DEFAULT: Final = Form(method=Method.INCLUSIVE)


def form_of(uri: str, *, prefix_list: str = "") -> Form | None:
    """Return the form that an algorithm URI names, None for one that is not supported."""
    form = _BY_URI.get(uri)
    if form is None or not prefix_list:
        return form
    prefixes = frozenset("" if one == "#default" else one for one in prefix_list.split())
    return Form(method=form.method, with_comments=form.with_comments, prefixes=prefixes)


def canonical(
    element: etree._Element,
    form: Form,
    *,
    whole: bool = False,
    without: Collection[etree._Element] = frozenset(),
) -> bytes:
    """Return the canonical octets of an element's subtree, or of the `whole` document around it.

    The subtrees of the elements in `without` are left out.
    """
    walker = _Walker(form, without)
    if not whole:
        return "".join(walker.subtree(element, apex=True)).encode()
    root = element.getroottree().getroot()
    parts = [*walker.before(root), *walker.subtree(root, apex=True), *walker.after(root)]
    return "".join(parts).encode()


_ASIDES: Final = (etree._ProcessingInstruction, etree._Comment)


class _Walker:
    def __init__(self, form: Form, without: Collection[etree._Element]) -> None:
        self._form = form
        self._without = without

    def before(self, root: etree._Element) -> Iterator[str]:
        for node in reversed(list(root.itersiblings(preceding=True))):
            yield from (text + "\n" for text in self._aside(node))

    def after(self, root: etree._Element) -> Iterator[str]:
        for node in root.itersiblings():
            yield from ("\n" + text for text in self._aside(node))

    def subtree(
        self,
        element: etree._Element,
        *,
        apex: bool = False,
        rendered: Mapping[str, str] | None = None,
    ) -> Iterator[str]:
        """Yield the text of an element; `rendered` holds the prefixes its parents have written."""
        known = rendered or {}
        if element in self._without:
            return
        declared = self._declarations(element, known)
        name = _qualified(element)
        yield f"<{name}"
        for prefix in sorted(declared):
            attribute = f"xmlns:{prefix}" if prefix else "xmlns"
            yield f' {attribute}="{_attribute(declared[prefix])}"'
        yield from self._attributes(element, apex=apex)
        yield ">"
        yield _text(element.text or "")
        inner = {**known, **declared}
        for child in element:
            if isinstance(child, _ASIDES):
                yield from self._aside(child)
            else:
                yield from self.subtree(child, rendered=inner)
            yield _text(child.tail or "")
        yield f"</{name}>"

    def _aside(self, node: etree._Element) -> Iterator[str]:
        """Yield the text of a processing instruction, or of a comment where comments count."""
        if isinstance(node, etree._ProcessingInstruction):
            data = str(node.text or "").replace("\r", "&#xD;")
            yield f"<?{node.target!s} {data}?>" if data else f"<?{node.target!s}?>"
        elif isinstance(node, etree._Comment) and self._form.with_comments:
            text = str(node.text or "").replace("\r", "&#xD;")
            yield f"<!--{text}-->"

    def _declarations(self, element: etree._Element, rendered: Mapping[str, str]) -> dict[str, str]:
        scope = _scope(element)
        if self._form.method is Method.EXCLUSIVE:
            wanted = _utilized(element) | (self._form.prefixes & scope.keys())
        else:
            wanted = set(scope)
        declared = {
            prefix: scope[prefix]
            for prefix in wanted
            if prefix in scope and rendered.get(prefix, _NO_NAMESPACE) != scope[prefix]
        }
        for prefix, uri in declared.items():
            if uri and ":" not in uri:
                raise SignatureMalformed(
                    f"expected an absolute namespace URI for {prefix!r}", reason="namespace"
                )
        return declared

    def _attributes(self, element: etree._Element, *, apex: bool) -> Iterator[str]:
        attributes = {str(name): str(value) for name, value in element.attrib.items()}
        if apex and self._form.method is not Method.EXCLUSIVE:
            attributes = {**self._imported(element), **attributes}
        for name in sorted(attributes, key=_attribute_order):
            yield f' {_attribute_name(element, name)}="{_attribute(attributes[name])}"'

    def _imported(self, element: etree._Element) -> dict[str, str]:
        """Return the xml: attributes that an apex takes from its ancestors, the nearest first."""
        found: dict[str, str] = {}
        for ancestor in element.iterancestors():
            for name, value in ancestor.attrib.items():
                text = str(name)
                if not text.startswith(f"{{{_XML}}}") or text in found:
                    continue
                if self._form.method is Method.INCLUSIVE_11 and text not in _INHERITED:
                    if text == _BASE:
                        raise SignatureMalformed(
                            "expected no xml:base above a subtree in Canonical XML 1.1",
                            reason="xml_base",
                        )
                    continue  # xml:id is not inherited (Canonical XML 1.1 §2.4)
                found[text] = str(value)
        return found


def _scope(element: etree._Element) -> dict[str, str]:
    """Return the namespaces in scope by prefix; the default is "" where there is none."""
    scope = {prefix or "": uri for prefix, uri in element.nsmap.items() if prefix != "xml"}
    scope[""] = _default(element)
    return scope


def _default(element: etree._Element) -> str:
    """Return the default namespace in scope, "" where there is none.

    lxml does not show xmlns="" in nsmap, but an element without prefix tells what its default is.
    """
    for ancestor in (element, *element.iterancestors()):
        if not ancestor.prefix:
            return etree.QName(ancestor).namespace or _NO_NAMESPACE
        declared = [uri for prefix, uri in ancestor.nsmap.items() if not prefix]
        above = ancestor.getparent()
        inherited = [] if above is None else [u for p, u in above.nsmap.items() if not p]
        if declared and declared != inherited:
            return declared[0]
    return _NO_NAMESPACE


def _utilized(element: etree._Element) -> set[str]:
    """Return the prefixes that an element's own name and attributes use."""
    found = {element.prefix or ""}
    for name in element.attrib:
        text = str(name)
        if text.startswith("{") and not text.startswith(f"{{{_XML}}}"):
            uri, _, local = text[1:].partition("}")
            found.add(_prefix_of(element, uri, local))
    return found


def _prefix_of(element: etree._Element, uri: str, local: str) -> str:
    candidates = [one for one, bound in element.nsmap.items() if one and bound == uri]
    if len(candidates) == 1:
        return candidates[0]
    # Two prefixes for one namespace: the tree knows which one the attribute was written with.
    written = str(_WRITTEN(element, uri=uri, local=local))
    prefix, separator, _ = written.partition(":")
    if not separator:
        raise SignatureMalformed(
            f"expected a prefix for the namespace {uri[:80]}", reason="prefixes"
        )
    return prefix


def _qualified(element: etree._Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


def _attribute_name(element: etree._Element, name: str) -> str:
    if not name.startswith("{"):
        return name
    uri, _, local = name[1:].partition("}")
    return f"xml:{local}" if uri == _XML else f"{_prefix_of(element, uri, local)}:{local}"


def _attribute_order(name: str) -> tuple[str, str]:
    if not name.startswith("{"):
        return _NO_NAMESPACE, name
    uri, _, local = name[1:].partition("}")
    return uri, local


def _text(value: str) -> str:
    return _replaced(value, (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#xD;")))


def _attribute(value: str) -> str:
    pairs = (
        ("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;"),
        ("\t", "&#x9;"), ("\n", "&#xA;"), ("\r", "&#xD;"),
    )  # fmt: skip
    return _replaced(value, pairs)


def _replaced(value: str, pairs: Iterable[tuple[str, str]]) -> str:
    for old, new in pairs:
        value = value.replace(old, new)
    return value
