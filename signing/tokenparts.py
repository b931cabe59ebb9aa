"""A time-stamp token taken apart, and what tokens of one authority have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from signing.algorithms import SignatureAlgorithm


# A named tuple, as one is made per signature: it costs a third of a frozen dataclass.
class Token(NamedTuple):
    """A token that could be read; nothing in it is proved yet."""

    time: datetime
    imprint_hash: str  # `hashlib` name
    imprint: bytes
    serial: int
    nonce: int | None
    policy: bytes  # OID, DER
    info: bytes  # TSTInfo, DER: what the authority signs through messageDigest
    attributes: bytes  # signed attributes with the SET tag: what the signature covers
    values: Mapping[bytes, bytes]  # of the signed attributes, by type; each stands once
    digest_name: str  # of messageDigest
    algorithm: SignatureAlgorithm
    signature: bytes
    issuer: bytes  # Name, DER: who issued the authority's certificate
    certificate_serial: int
    certificates: tuple[bytes, ...]  # DER, as they came
    has_freight: bool  # CRLs or unsigned attributes, which nothing here needs


Span = tuple[int, int]


class Places(NamedTuple):
    """Where the variable values of a token stand, and what contains them."""

    info: Span
    imprint: Span
    serial: Span
    time: Span
    attributes: Span
    digest: Span
    signing_time: Span
    signature: Span


class Layout(NamedTuple):
    """A token that was parsed, its places, and the octets between its variable values."""

    token: Token
    places: Places
    fixed: tuple[tuple[int, int, bytes], ...]
