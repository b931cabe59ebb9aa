"""Our errors as SOAP faults and HTTP statuses: the one table of this translation for SOAP."""

from __future__ import annotations

import re
from typing import Final

from connectors import errors
from connectors.soap_envelope import Fault, FaultCode, Version, write_fault
from dossier.errors import Conflict, Denied, LienThongError, Rejected, Unavailable
from dossier.texts import Language, render_error
from dossier.wire import WireReply

RETRY_AFTER_SECONDS: Final = 30

# The first class that fits decides. Everything else is a SOAP fault with 500, the one status that
# deployed stacks read a fault behind, in SOAP 1.2 too (ADR 0017).
_STATUS: Final[tuple[tuple[type[LienThongError], int], ...]] = (
    (errors.MethodNotAllowed, 405),
    (errors.BodyTooSlow, 408),
    (errors.BodyTooLarge, 413),
    (errors.MediaTypeRefused, 415),
    (errors.EncodingRefused, 415),
    (errors.HttpRefused, 400),
    (Unavailable, 503),
)
_BLAME: Final[tuple[tuple[type[LienThongError], FaultCode], ...]] = (
    (errors.SoapVersionMismatch, FaultCode.VERSION),
    (errors.SoapHeaderNotUnderstood, FaultCode.MUST_UNDERSTAND),
    (Rejected, FaultCode.CLIENT),
    (Denied, FaultCode.CLIENT),
    (Conflict, FaultCode.CLIENT),
)
_LANGUAGE: Final = re.compile(
    r"\s*(vi|en|\*)(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*"
)


def fault_reply(error: LienThongError, *, version: Version, accept_language: str) -> WireReply:
    """Return the HTTP reply that tells the caller about `error`."""
    blame = next((name for kind, name in _BLAME if isinstance(error, kind)), FaultCode.SERVER)
    text, language = _sentence(error, accept_language)
    fault = Fault(blame=blame, code=error.code, text=text, language=language)
    headers = {"Connection": "close"}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = "GET, HEAD, POST"
    return xml_reply(
        write_fault(version, fault),
        status=_status(error),
        media_type=version.media_type,
        headers=headers,
    )


def xml_reply(
    content: bytes, *, status: int, media_type: str, headers: dict[str, str] | None = None
) -> WireReply:
    """Return a reply with one XML document as its body."""
    return WireReply(
        status=status,
        headers={
            "Content-Type": f"{media_type}; charset=utf-8",
            "Content-Length": str(len(content)),
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        },
        body=(content,),
    )


def _status(error: LienThongError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _sentence(error: LienThongError, accept_language: str) -> tuple[str, str]:
    """Return the sentence and its language; both languages where the caller prefers none."""
    preferred = _preferred(accept_language)
    if preferred is not None:
        return render_error(error, preferred)[0], preferred.value
    vietnamese, english = (render_error(error, lang)[0] for lang in (Language.VI, Language.EN))
    return f"{vietnamese} / {english}", Language.VI.value


def _preferred(accept_language: str) -> Language | None:
    weights: dict[str, float] = {}
    for item in accept_language[:200].split(","):
        found = _LANGUAGE.fullmatch(item)
        if found:
            weights.setdefault(found.group(1), float(found.group(2) or 1))
    known = {lang: weights.get(lang.value, 0.0) for lang in Language}
    best = max(known, key=lambda lang: known[lang])
    return best if known[best] > 0 else None
