"""Tokens of one authority read at a glance: what it writes alike is compared, not parsed again.

A token that was parsed once teaches where its variable values stand: imprint, serial number, time,
message digest, signing time, signature. Another token of the same length with the same octets
everywhere else has the same structure, because every tag and length lies outside these values; so
its values are slices. Anything else is parsed from the start.
"""

from __future__ import annotations

from typing import Final

from signing import der
from signing.errors import DerRefused
from signing.policy import Trust
from signing.timestamp import parse_token
from signing.tokenparts import Layout, Places, Span, Token
from signing.tsa import AT_MESSAGE_DIGEST, AT_SIGNING_TIME

_MAX_LAYOUTS: Final = 8  # of one length: several authorities


def read_token(octets: bytes, *, trust: Trust) -> Token:
    """Return the parts of a token as `parse_token` does, by a layout that `trust` remembers."""
    known = trust.layouts.get(len(octets)) or ()
    for layout in known:
        if all(octets[start:end] == piece for start, end, piece in layout.fixed):
            token = _slices(octets, layout)
            if token is not None:
                return token
    token = parse_token(octets)
    if len(known) < _MAX_LAYOUTS:
        learned = _learn(octets, token)
        if learned is not None:
            trust.layouts.put(len(octets), (*known, learned))
    return token


def _slices(octets: bytes, layout: Layout) -> Token | None:
    """Return the token; None when a value is not in the form that the parser demands."""
    places, token = layout.places, layout.token
    start, end = places.serial
    serial = octets[start:end]
    if serial[0] & 0x80 or (serial[0] == 0 and end - start > 1 and serial[1] < 0x80):
        return None
    start, end = places.time
    try:
        time = der.parse_generalized_time(octets[start:end])
    except DerRefused:
        return None
    values = dict(token.values)
    start, end = places.digest
    values[AT_MESSAGE_DIGEST] = der.tlv(der.OCTET_STRING, octets[start:end])
    start, end = places.signing_time
    values[AT_SIGNING_TIME] = der.tlv(der.UTC_TIME, octets[start:end])
    return token._replace(
        time=time,
        imprint=octets[slice(*places.imprint)],
        serial=int.from_bytes(serial, "big"),
        info=octets[slice(*places.info)],
        attributes=b"\x31" + octets[slice(*places.attributes)],
        values=values,
        signature=octets[slice(*places.signature)],
    )


def _learn(octets: bytes, token: Token) -> Layout | None:
    """Return the layout of a token; None for one with values that have no place here."""
    if token.nonce is not None or token.has_freight:
        return None
    try:
        places = _places(octets)
    except DerRefused:
        return None
    if places is None:
        return None
    variable = sorted(
        (
            places.imprint,
            places.serial,
            places.time,
            places.digest,
            places.signing_time,
            places.signature,
        )
    )
    starts = [0, *(end for _, end in variable)]
    ends = [*(start for start, _ in variable), len(octets)]
    fixed = tuple((start, end, octets[start:end]) for start, end in zip(starts, ends, strict=True))
    return Layout(token=token, places=places, fixed=fixed)


def _places(octets: bytes) -> Places | None:
    """Walk a token that was parsed before, and return where its values stand."""
    content_info = der.Cursor(octets).enter(der.SEQUENCE)
    content_info.take(der.OID)
    data = content_info.enter(0xA0).enter(der.SEQUENCE)
    data.take(der.INTEGER)
    data.take(der.SET)
    content = data.enter(der.SEQUENCE)
    content.take(der.OID)
    wrapped = content.enter(0xA0).enter(der.OCTET_STRING)
    info_start = wrapped.position
    body = wrapped.enter(der.SEQUENCE)
    info = (info_start, wrapped.position)
    body.take(der.INTEGER)
    body.take(der.OID)
    message = body.enter(der.SEQUENCE)
    message.take(der.SEQUENCE)
    imprint = _place(message, der.OCTET_STRING)
    serial = _place(body, der.INTEGER)
    time = _place(body, der.GENERALIZED_TIME)
    if data.next_tag() == 0xA0:
        data.take(0xA0)
    signer = data.enter(der.SET).enter(der.SEQUENCE)
    signer.take(der.INTEGER)
    signer.take(der.SEQUENCE)
    signer.take(der.SEQUENCE)
    start = signer.position + 1  # behind the implicit tag, which is SET where it is signed
    found = _attribute_places(signer.enter(0xA0))
    attributes = (start, signer.position)
    signer.take(der.SEQUENCE)
    signature = _place(signer, der.OCTET_STRING)
    if found is None:
        return None
    return Places(info, imprint, serial, time, attributes, *found, signature)


def _attribute_places(attributes: der.Cursor) -> tuple[Span, Span] | None:
    """Return the places of message digest and signing time; None unless both are there."""
    digest = signing_time = None
    while attributes.next_tag() is not None:
        attribute = attributes.enter(der.SEQUENCE)
        kind = attribute.take_whole(der.OID)
        values = attribute.enter(der.SET)
        if kind == AT_MESSAGE_DIGEST:
            digest = _place(values, der.OCTET_STRING)
            values.finish()
        elif kind == AT_SIGNING_TIME and values.next_tag() == der.UTC_TIME:
            signing_time = _place(values, der.UTC_TIME)
            values.finish()
    return None if digest is None or signing_time is None else (digest, signing_time)


def _place(cursor: der.Cursor, tag: int) -> Span:
    size = len(cursor.take(tag))
    return cursor.position - size, cursor.position
