"""Judge signed files offline: no database, no network, nothing trusted but what is given.

Imports `signing` and `dossier` only; a test runs `lienthong verify` with Django blocked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from dossier.clock import SystemClock
from dossier.report import Report, ReportPage
from dossier.texts import Language
from exchange.errors import AnchorRefused, FileUnreadable
from signing.errors import CertificateRefused
from signing.evidence import TrustGiven, judge_file
from signing.keys import read_certificates
from signing.report import dump_report, report_of, report_page, report_text


def judge_path(
    path: Path,
    *,
    anchors: Sequence[Path | str] = (),
    crls: Sequence[Path] = (),
    at: datetime | None = None,
) -> Report:
    """Judge a file; `anchors` are PEM or DER files, or SHA-256 fingerprints in hexadecimal."""
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise FileUnreadable(
            f"expected a readable file, got {exc.strerror}", name=path.name
        ) from exc
    return judge_bytes(content, name=path.name, given=given_of(anchors=anchors, crls=crls), at=at)


def judge_bytes(
    content: bytes, *, name: str, given: TrustGiven, at: datetime | None = None
) -> Report:
    """Judge bytes under a name, now or at the given instant."""
    instant = at or SystemClock().now()
    judged = judge_file(content, name=name, given=given, at=instant)
    return report_of(judged, name=name, given=given, at=instant)


def given_of(*, anchors: Sequence[Path | str], crls: Sequence[Path] = ()) -> TrustGiven:
    """Return what the caller trusts; raise `AnchorRefused`."""
    certificates: list[bytes] = []
    fingerprints: set[str] = set()
    for anchor in anchors:
        text = str(anchor).removeprefix("sha256:").lower()
        if len(text) == 64 and set(text) <= set("0123456789abcdef"):
            fingerprints.add(text)
            continue
        try:
            certificates += read_certificates(Path(anchor).read_bytes())
        except (OSError, CertificateRefused) as exc:
            raise AnchorRefused(
                "expected a certificate file or a SHA-256 fingerprint", name=str(anchor)[:80]
            ) from exc
    return TrustGiven(
        anchors=tuple(certificates),
        fingerprints=frozenset(fingerprints),
        crls=tuple(path.read_bytes() for path in crls),
    )


def page_of(report: Report, *, language: Language) -> ReportPage:
    """Return the report in the words of one language."""
    return report_page(report, language=language)


def text_of(report: Report, *, language: Language) -> str:
    """Return the report as plain text."""
    return report_text(report, language=language)


def json_of(report: Report) -> bytes:
    """Return the report as JSON, `signing/schemas/report.schema.json`."""
    return dump_report(report)
