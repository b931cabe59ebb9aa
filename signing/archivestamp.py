"""Archive time-stamps v3 of CAdES (EN 319 122-1 §5.5.3) and the validation data beside them.

A hash index inside each token names what it covers. One that names what is not there, or leaves
out a time-stamp that is older, covers nothing here: the older one could have been put in later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from signing import der
from signing.cms import Attribute, CmsSigner, SignedData, parse_cms, whole_response
from signing.errors import DerRefused, SignatureMalformed, TimestampMalformed
from signing.proofs import Stamp
from signing.timestamp import Imprint, parse_foreign_token
from signing.tsa import DIGEST_BY_IDENTIFIER
from signing.unsigned import MAX_VALUES, Values

MAX_STAMPS: Final = 32
AT_SIGNATURE_STAMP: Final = der.oid("1.2.840.113549.1.9.16.2.14")
_AT_ARCHIVE_V3: Final = der.oid("0.4.0.1733.2.4")
_AT_INDEX_V3: Final = der.oid("0.4.0.19122.1.5")
_AT_INDEX_V1: Final = der.oid("0.4.0.1733.2.5")
_AT_CERTIFICATE_VALUES: Final = der.oid("1.2.840.113549.1.9.16.2.23")
_AT_REVOCATION_VALUES: Final = der.oid("1.2.840.113549.1.9.16.2.24")
_AT_ADOBE_REVOCATION: Final = der.oid("1.2.840.113583.1.1.8")
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Index:
    """What an ats-hash-index names, as sets of digests."""

    octets: bytes  # the attribute's value, DER
    hash_name: str
    certificates: frozenset[bytes]
    revocations: frozenset[bytes]
    attributes: frozenset[bytes]
    by_value: bool  # v3 digests each value with its type, v1 whole attributes


def values_of(data: SignedData, signer: CmsSigner, more: Values) -> Values:
    """Return the validation data in a signature, in its time-stamps, and `more` beside it."""
    kinds = (AT_SIGNATURE_STAMP, _AT_ARCHIVE_V3)
    stamps = sum(len(one.values) for one in signer.unsigned if one.kind in kinds)
    if stamps > MAX_STAMPS:
        raise SignatureMalformed(f"expected at most {MAX_STAMPS} time-stamps", reason="timestamp")
    found = [data.values, more, *_attribute_values(signer)]
    for attribute in signer.unsigned:
        if attribute.kind in kinds:
            found += [one for token in attribute.values for one in _token_values(token)]
    merged = Values(
        certificates=_distinct(one.certificates for one in found),
        crls=_distinct(one.crls for one in found),
        ocsps=_distinct(one.ocsps for one in found),
    )
    if len(merged.certificates) + len(merged.crls) + len(merged.ocsps) > MAX_VALUES:
        raise SignatureMalformed(f"expected at most {MAX_VALUES} values", reason="values")
    return merged


def _distinct(lists: Iterable[tuple[bytes, ...]]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(one for each in lists for one in each))


def token_values(token: bytes) -> Values:
    """Return the validation data that a time-stamp token carries; none when it is unreadable."""
    found = list(_token_values(token))
    return Values(
        certificates=_distinct(one.certificates for one in found),
        crls=_distinct(one.crls for one in found),
        ocsps=_distinct(one.ocsps for one in found),
    )


def _token_values(token: bytes) -> Iterator[Values]:
    try:
        data = parse_cms(token)
        yield data.values
        for signer in data.signers[:1]:
            yield from _attribute_values(signer)
    except (SignatureMalformed, DerRefused):
        return  # told where the token is judged


def _attribute_values(signer: CmsSigner) -> Iterator[Values]:
    for attribute in signer.unsigned:
        for value in attribute.values:
            if attribute.kind == _AT_CERTIFICATE_VALUES:
                yield Values(certificates=_sequence_of(der.Cursor(value)))
            elif attribute.kind == _AT_REVOCATION_VALUES:
                yield _revocations(value, is_basic=True)
    for value in signer.signed.get(_AT_ADOBE_REVOCATION, ()):
        yield _revocations(value, is_basic=False)


def _revocations(value: bytes, *, is_basic: bool) -> Values:
    """Return the CRLs and OCSP responses of RevocationValues, or of Adobe's like structure."""
    fields = der.Cursor(value).enter(der.SEQUENCE)
    crls = _sequence_of(fields.enter(0xA0)) if fields.next_tag() == 0xA0 else ()
    ocsps = _sequence_of(fields.enter(0xA1)) if fields.next_tag() == 0xA1 else ()
    return Values(
        crls=crls, ocsps=tuple(whole_response(one) for one in ocsps) if is_basic else ocsps
    )


def _sequence_of(cursor: der.Cursor) -> tuple[bytes, ...]:
    inner = cursor.enter(der.SEQUENCE)
    found: list[bytes] = []
    while inner.next_tag() is not None and len(found) <= MAX_VALUES:
        found.append(inner.take_whole(der.SEQUENCE))
    return tuple(found)


def archive_stamps(
    data: SignedData, signer: CmsSigner, imprint: Imprint | None
) -> tuple[Stamp, ...]:
    """Return the archive time-stamps of a signature, oldest first, each with what it covers."""
    tokens = [
        (_time_of(value), value)
        for attribute in signer.unsigned
        if attribute.kind == _AT_ARCHIVE_V3
        for value in attribute.values
    ]
    tokens.sort(key=lambda one: one[0])
    older = [
        _named(AT_SIGNATURE_STAMP, value)
        for attribute in signer.unsigned
        if attribute.kind == AT_SIGNATURE_STAMP
        for value in attribute.values
    ]
    found: list[Stamp] = []
    for _, token in tokens:
        covered = _covered(token, data, signer, imprint, older)
        found.append(Stamp(token=token, imprint=covered))
        older.append(_named(_AT_ARCHIVE_V3, token))
    return tuple(found)


def _time_of(token: bytes) -> datetime:
    try:
        return parse_foreign_token(token).time
    except TimestampMalformed:
        return _NEVER


def _named(kind: bytes, value: bytes) -> bytes:
    return kind + value


def _covered(
    token: bytes,
    data: SignedData,
    signer: CmsSigner,
    imprint: Imprint | None,
    older: Sequence[bytes],
) -> Imprint:
    """Return what gives the digest of what a token covers; of nothing when its index is wrong."""
    index = _index_of(token)
    if index is None or imprint is None or not _index_holds(index, data, signer, older):
        return lambda _: b""
    known, octets = imprint, index.octets

    def digest(name: str) -> bytes:
        whole = hashlib.new(name, data.content_type + known(name))
        for field in signer.fields:
            whole.update(field)
        whole.update(octets)
        return whole.digest()

    return digest


def _index_holds(
    index: _Index, data: SignedData, signer: CmsSigner, older: Sequence[bytes]
) -> bool:
    def digests(parts: Iterable[bytes]) -> set[bytes]:
        return {hashlib.new(index.hash_name, part).digest() for part in parts}

    if index.by_value:
        attributes = digests(_each_value(signer.unsigned))
        needed = digests(older)
    else:
        attributes = digests(one.whole for one in signer.unsigned)
        needed = digests(
            one.whole
            for one in signer.unsigned
            if any(_named(one.kind, value) in older for value in one.values)
        )
    return (
        index.certificates <= digests(data.certificates)
        and index.revocations <= digests(data.revocations)
        and index.attributes <= attributes
        and needed <= index.attributes
    )


def _each_value(attributes: Sequence[Attribute]) -> Iterator[bytes]:
    for one in attributes:
        for value in one.values:
            yield _named(one.kind, value)


def _index_of(token: bytes) -> _Index | None:
    try:
        signers = parse_cms(token).signers
        for attribute in signers[0].unsigned if signers else ():
            if attribute.kind in (_AT_INDEX_V3, _AT_INDEX_V1) and len(attribute.values) == 1:
                return _parse_index(attribute.values[0], is_v3=attribute.kind == _AT_INDEX_V3)
    except (SignatureMalformed, DerRefused):
        pass
    return None


def _parse_index(value: bytes, *, is_v3: bool) -> _Index | None:
    outer = der.Cursor(value)
    fields = outer.enter(der.SEQUENCE)
    outer.finish()
    name: str | None = "sha256"  # the default that v1 leaves out
    # A list begins with a SEQUENCE too, so what tells them apart is the OID inside.
    first = fields.take_whole(der.SEQUENCE)
    lists: list[frozenset[bytes]] = []
    if is_v3 or der.Cursor(first).enter(der.SEQUENCE).next_tag() == der.OID:
        name = DIGEST_BY_IDENTIFIER.get(first)
    else:
        lists.append(_digests_in(first))
    while len(lists) < 3:
        lists.append(_digests_in(fields.take_whole(der.SEQUENCE)))
    fields.finish()
    if name is None:
        return None
    return _Index(
        octets=value,
        hash_name=name,
        certificates=lists[0],
        revocations=lists[1],
        attributes=lists[2],
        by_value=is_v3,
    )


def _digests_in(content: bytes) -> frozenset[bytes]:
    cursor = der.Cursor(content).enter(der.SEQUENCE)
    found: set[bytes] = set()
    while cursor.next_tag() is not None:
        found.add(cursor.take(der.OCTET_STRING))
    return frozenset(found)
