"""The error families: what the caller does next. Leaves say what happened, in each package.

A leaf is a class with a stable `code`; its sentences for people stand in `dossier/texts`.
"""

from __future__ import annotations

from typing import ClassVar


class LienThongError(Exception):
    """Carry a stable code, a developer's sentence "expected X, got Y", and what to do.

    `parameters` fill the translated sentence of the same code, so they hold names, limits
    and positions: never document contents, keys or personal data.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self, message: str, *, hint: str | None = None, **parameters: str | int | float
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.parameters = parameters

    def __str__(self) -> str:
        return self.message


class Rejected(LienThongError):
    """Wrong for ever: HTTP 4xx, the job is parked, exit 1."""

    code = "rejected"


class Denied(LienThongError):
    """The caller may not do this: HTTP 403, exit 1."""

    code = "denied"


class Conflict(LienThongError):
    """The world moved meanwhile: reload and decide again, HTTP 409, exit 1."""

    code = "conflict"


class Unavailable(LienThongError):
    """Try later with the same request: HTTP 503, backoff, exit 3."""

    code = "unavailable"


class Misconfigured(LienThongError):
    """An operator must act before this can work: refuse to start, exit 2."""

    code = "misconfigured"


class LibraryTooOld(Misconfigured):
    """The XML library that is linked in expands entities by default or parses in quadratic time."""

    code = "library_too_old"


class XmlRefused(Rejected):
    """The XML is malformed, carries a DOCTYPE or passes a cap of `dossier.safexml`."""

    code = "xml_refused"


class CanonicalRefused(Rejected):
    """The value is not in the closed set of canonical JSON, or the text is not canonical."""

    code = "canonical_refused"


class IdentifierRefused(Rejected):
    """A code or identifier does not have the shape that its kind demands."""

    code = "identifier_refused"


class EnvelopeRefused(Rejected):
    """The envelope is not exactly what `docs/formats/envelope.md` describes."""

    code = "envelope_malformed"


class ReceiptRefused(Rejected):
    """The receipt is not exactly what `docs/formats/receipt.md` describes."""

    code = "receipt_malformed"


class DirectoryRefused(Rejected):
    """The directory is not exactly what `docs/formats/directory.md` describes."""

    code = "directory_malformed"
