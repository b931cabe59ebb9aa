"""Sign and check calls to the national document axis: HMAC over headers, body through its digest.

All parameters travel as headers with a prefix; the signed text is the JSON of exactly those
(interchange.md §3.5).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connectors.errors import AxisSignatureRefused

_PREFIX: Final = "XroadVnpt-"
_HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_PLAIN: Final = "Content-Type"  # sent without the prefix as well
_VERSION: Final = "3.0.201608"
_AGENT: Final = "JAVASDKAgent/1.0.0 XRoad/VPCP"
_MAX_SIGNED: Final = 8 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class AxisIdentity:
    """Who calls the axis, and the secret that both share."""

    system_id: str
    secret: bytes


def sign_headers(
    identity: AxisIdentity, parameters: Mapping[str, str], *, content_type: str, at: datetime
) -> dict[str, str]:
    """Return all headers of a call with these parameters."""
    named = {
        "systemid": identity.system_id,
        "timestamp": axis_timestamp(at),
        _PLAIN: content_type,
        **parameters,
    }
    prefixed = {_PREFIX + name: value for name, value in named.items()}
    signed = json.dumps(prefixed, separators=(",", ":"))
    return {
        **prefixed,
        _PLAIN: content_type,
        f"{_PREFIX}sign-header": signed,
        f"{_PREFIX}sign-header-key": ";".join(named),
        f"{_PREFIX}hash-header": _mac(identity.secret, signed),
        f"{_PREFIX}version": _VERSION,
        "User-Agent": _AGENT,
    }


def check_headers(
    identity: AxisIdentity, headers: Mapping[str, str], *, at: datetime, max_age: timedelta
) -> Mapping[str, str]:
    """Return the signed parameters, names in lower case, if they are what was really sent.

    `headers` has names in lower case. Raises `AxisSignatureRefused`.
    """
    signed = headers.get(f"{_PREFIX}sign-header".lower(), "")
    given = headers.get(f"{_PREFIX}hash-header".lower(), "").lower()
    # 1. The text is of somebody who knows the secret.
    if not hmac.compare_digest(given.encode(), _mac(identity.secret, signed).encode()):
        raise AxisSignatureRefused("expected the HMAC of the signed headers", reason="hmac")
    # 2. It is an object of texts, 3. each of which equals the header really sent.
    values = _signed_values(signed)
    for name, value in values.items():
        if headers.get(name) != value:
            raise AxisSignatureRefused("expected each signed header as signed", reason="header")
    found = {name.removeprefix(_PREFIX.lower()): value for name, value in values.items()}
    # 4. It is of this system, and of now.
    if found.get("systemid") != identity.system_id:
        raise AxisSignatureRefused("expected the caller's own id", reason="systemid")
    age = abs(at - parse_timestamp(found.get("timestamp", "")))
    if age > max_age:
        raise AxisSignatureRefused("expected a call of now", reason="timestamp")
    return found


def body_digest(content: bytes, *, padded: bool) -> str:
    """Return the hexadecimal SHA-256 of a file; deployed clients print small bytes as one digit."""
    digest = hashlib.sha256(content).digest()
    return digest.hex() if padded else "".join(f"{byte:x}" for byte in digest)


def is_body_digest(text: str, content: bytes) -> bool:
    """Tell whether `text` is the digest of `content` in either form."""
    given = text.strip().lower().encode("ascii", "replace")
    forms = (body_digest(content, padded=padded).encode() for padded in (True, False))
    return any(hmac.compare_digest(given, form) for form in forms)


def axis_timestamp(at: datetime) -> str:
    """Return ddMMyyyyTHHmmss+SSSS, where SSSS are milliseconds and no zone."""
    local = at.astimezone(_HERE)
    return f"{local:%d%m%YT%H%M%S}+{local.microsecond // 1000:04d}"


def parse_timestamp(text: str) -> datetime:
    """Return the instant that `axis_timestamp` wrote; raise `AxisSignatureRefused`."""
    moment, _, milliseconds = text.partition("+")
    try:
        local = datetime.strptime(moment, "%d%m%YT%H%M%S").replace(tzinfo=_HERE)
        return local + timedelta(milliseconds=int(milliseconds))
    except ValueError as exc:
        raise AxisSignatureRefused("expected a timestamp", reason="timestamp") from exc


def _mac(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _signed_values(signed: str) -> dict[str, str]:
    try:
        pairs = json.loads(signed, object_pairs_hook=list) if len(signed) <= _MAX_SIGNED else None
    except (ValueError, RecursionError) as exc:
        raise AxisSignatureRefused("expected signed headers as JSON", reason="json") from exc
    if not isinstance(pairs, list) or not all(
        isinstance(pair, tuple) and isinstance(pair[1], str) for pair in pairs
    ):
        raise AxisSignatureRefused("expected an object of texts", reason="json")
    found = {str(name).lower(): value for name, value in pairs}
    if len(found) != len(pairs) or any(not name.startswith(_PREFIX.lower()) for name in found):
        raise AxisSignatureRefused("expected each header once", reason="header")
    return found
