"""What stands in a foreign XAdES signature: its parts, validation data and time-stamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from lxml import etree

from signing.archivestamp import token_values
from signing.c14n import DEFAULT, Form, canonical
from signing.errors import SignatureMalformed
from signing.proofs import Stamp, digester
from signing.references import Resolved, text_of
from signing.transforms import loose_base64, read_form
from signing.unsigned import DS, MAX_VALUES, XADES, XADES_141, Values

COUNTER_DEPTH: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """A signature taken apart; nothing in it is proved yet."""

    element: etree._Element
    info: etree._Element
    references: tuple[Resolved, ...]
    algorithm: str
    value_element: etree._Element
    key: etree._Element | None
    qualifying: etree._Element | None
    signed: etree._Element | None  # SignedProperties
    unsigned: tuple[etree._Element, ...]  # unsigned signature properties, in order


def values_of_parts(parts: Parts) -> Values:
    """Return every certificate, CRL and OCSP response that stands in the signature."""
    certificates: list[bytes] = []
    if parts.key is not None:
        path = f"{{{DS}}}X509Data/{{{DS}}}X509Certificate"
        certificates += [loose_base64(text_of(found)) for found in parts.key.iterfind(path)]
    lists: dict[str, list[bytes]] = {
        "EncapsulatedX509Certificate": certificates,
        "EncapsulatedCRLValue": [],
        "EncapsulatedOCSPValue": [],
    }
    for prop in parts.unsigned:
        for name, found in lists.items():
            found += [loose_base64(text_of(node)) for node in prop.iter(f"{{{XADES}}}{name}")]
    if sum(map(len, lists.values())) > MAX_VALUES:
        raise SignatureMalformed(f"expected at most {MAX_VALUES} values", reason="values")
    inside = [token_values(token) for prop in parts.unsigned for token in _tokens(prop)]
    crls = chain(lists["EncapsulatedCRLValue"], *(one.crls for one in inside))
    ocsps = chain(lists["EncapsulatedOCSPValue"], *(one.ocsps for one in inside))
    return Values(
        certificates=tuple(
            dict.fromkeys(chain(certificates, *(one.certificates for one in inside)))
        ),
        crls=tuple(dict.fromkeys(crls)),
        ocsps=tuple(dict.fromkeys(ocsps)),
    )


def signature_stamps(parts: Parts) -> Iterator[Stamp]:
    """Yield the signature time-stamps, each with what it is over."""
    for prop in parts.unsigned:
        form = _stamp_form(prop, parts)
        if prop.tag == f"{{{XADES}}}SignatureTimeStamp" and form is not None:
            octets = canonical(parts.value_element, form)
            for token in _tokens(prop):
                yield Stamp(token=token, imprint=digester(octets))


def archive_stamps(parts: Parts) -> Iterator[Stamp]:
    """Yield the archive time-stamps v1.4.1 with what they cover (EN 319 132-1 §5.5.2)."""
    for position, prop in enumerate(parts.unsigned):
        form = _stamp_form(prop, parts)
        if prop.tag == f"{{{XADES_141}}}ArchiveTimeStamp" and form is not None:
            octets = _archived(parts, form, position)
            for token in _tokens(prop):
                yield Stamp(token=token, imprint=digester(octets))


def _archived(parts: Parts, form: Form, position: int) -> bytes:
    nodes = [parts.info, parts.value_element]
    nodes += [parts.key] if parts.key is not None else []
    nodes += parts.unsigned[:position]
    # Every other Object, also one that a reference is over: v1.4.1 is not as v1.3.2 here.
    own = _parent(parts.qualifying)
    nodes += [one for one in parts.element.findall(f"{{{DS}}}Object") if one is not own]
    octets = b"".join(bytes(one.octets) for one in parts.references if one.octets is not None)
    return octets + b"".join(canonical(node, form) for node in nodes)


def _parent(element: etree._Element | None) -> etree._Element | None:
    return None if element is None else element.getparent()


def has_other_stamps(parts: Parts) -> bool:
    """Return whether a time-stamp is there that says in a way of its own what it is over."""
    kinds = (f"{{{XADES}}}SignatureTimeStamp", f"{{{XADES_141}}}ArchiveTimeStamp")
    return any(one.tag in kinds and _stamp_form(one, parts) is None for one in parts.unsigned)


def _stamp_form(prop: etree._Element, parts: Parts) -> Form | None:
    """Return the canonicalisation of a time-stamp, None where it is not the usual one over all.

    One that includes the signature value and nothing else is over the same as one that says
    nothing.
    """
    methods = prop.findall(f"{{{DS}}}CanonicalizationMethod")
    value = f"#{parts.value_element.get('Id', '')}"
    included = [one.get("URI", "") for one in prop.findall(f"{{{XADES}}}Include")]
    usual = [value] if prop.tag == f"{{{XADES}}}SignatureTimeStamp" else []
    if len(methods) > 1 or included not in ([], usual):
        return None
    try:
        return read_form(methods[0]) if methods else DEFAULT
    except SignatureMalformed:
        return None


def _tokens(prop: etree._Element) -> list[bytes]:
    return [
        loose_base64(text_of(found)) for found in prop.findall(f"{{{XADES}}}EncapsulatedTimeStamp")
    ]


def counter_signatures(element: etree._Element) -> list[etree._Element]:
    """Return the counter signatures in the unsigned properties of a signature."""
    path = (
        f"{{{DS}}}Object/{{{XADES}}}QualifyingProperties/{{{XADES}}}UnsignedProperties/"
        f"{{{XADES}}}UnsignedSignatureProperties/{{{XADES}}}CounterSignature/{{{DS}}}Signature"
    )
    return list(element.iterfind(path))


def has_old_archive(parts: Parts) -> bool:
    """Return whether an archive time-stamp of the form before v1.4.1 is there."""
    return any(one.tag == f"{{{XADES}}}ArchiveTimeStamp" for one in parts.unsigned)
