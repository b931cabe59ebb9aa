"""Judge signed files offline: no database, no network, nothing trusted but what is given.

Imports `signing` and `dossier` only; a test runs `lienthong verify` with Django blocked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dossier.clock import SystemClock
from dossier.report import Report, ReportPage
from dossier.texts import Language
from exchange.errors import AnchorRefused, FileUnreadable
from signing.errors import CertificateRefused
from signing.evidence import TrustGiven, judge_file
from signing.keys import read_certificates
from signing.report import dump_report, report_of, report_page, report_text

_FINGERPRINT_LENGTH: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustFiles:
    """What an auditor brings along, as files and fingerprints."""

    anchors: Sequence[Path | str] = ()  # PEM or DER files, or SHA-256 in hexadecimal
    certificates: Sequence[Path] = ()  # used to build paths, not believed
    crls: Sequence[Path] = ()
    ocsps: Sequence[Path] = ()


def judge_path(path: Path, *, trusted: TrustFiles, at: datetime | None = None) -> Report:
    """Judge a file, now or at the given instant; raise `FileUnreadable`, `AnchorRefused`."""
    content = _read(path)
    return judge_bytes(content, name=path.name, given=given_of(trusted), at=at)


def judge_bytes(
    content: bytes, *, name: str, given: TrustGiven, at: datetime | None = None
) -> Report:
    """Judge bytes under a name, now or at the given instant."""
    instant = at or SystemClock().now()
    judged = judge_file(content, name=name, given=given, at=instant)
    return report_of(judged, name=name, given=given, at=instant)


def given_of(trusted: TrustFiles) -> TrustGiven:
    """Return what the caller trusts; raise `AnchorRefused` or `FileUnreadable`."""
    certificates: list[bytes] = []
    fingerprints: set[str] = set()
    for anchor in trusted.anchors:
        text = str(anchor).removeprefix("sha256:").lower()
        if len(text) == _FINGERPRINT_LENGTH and set(text) <= set("0123456789abcdef"):
            fingerprints.add(text)
        else:
            certificates += _certificates(Path(anchor))
    return TrustGiven(
        anchors=tuple(certificates),
        fingerprints=frozenset(fingerprints),
        certificates=tuple(one for path in trusted.certificates for one in _certificates(path)),
        crls=tuple(_read(path) for path in trusted.crls),
        ocsps=tuple(_read(path) for path in trusted.ocsps),
    )


def _certificates(path: Path) -> tuple[bytes, ...]:
    try:
        return read_certificates(path.read_bytes())
    except (OSError, CertificateRefused) as exc:
        raise AnchorRefused(
            "expected a certificate file or a SHA-256 fingerprint", name=str(path)[:80]
        ) from exc


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise FileUnreadable(
            f"expected a readable file, got {exc.strerror}", name=path.name
        ) from exc


def page_of(report: Report, *, language: Language) -> ReportPage:
    """Return the report in the words of one language."""
    return report_page(report, language=language)


def text_of(report: Report, *, language: Language) -> str:
    """Return the report as plain text."""
    return report_text(report, language=language)


def json_of(report: Report) -> bytes:
    """Return the report as JSON, `signing/schemas/report.schema.json`."""
    return dump_report(report)
