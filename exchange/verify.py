"""Judge signed files offline: no database, no network, nothing trusted but what is given.

Imports `signing` and `dossier` only; a test runs `lienthong verify` with Django blocked.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dossier.clock import SystemClock
from dossier.report import Answer, Report, ReportPage, ReportReason
from dossier.texts import Language
from exchange.errors import AnchorRefused, FileUnreadable, RevocationFileRefused
from signing.errors import CertificateRefused
from signing.evidence import TrustGiven, files_wanted, judge_file
from signing.judgement import Reason
from signing.keys import read_certificates
from signing.policy import Trust
from signing.report import (
    dump_report,
    report_etsi,
    report_html,
    report_of,
    report_page,
    report_text,
    verdict_words,
)
from signing.rules import parse_rules, standard
from signing.sources import is_list, is_response, lists_in
from signing.trustlist import TrustList, open_trust_list

_FINGERPRINT_LENGTH: Final = 64
MAX_FILE_BYTES: Final = 2 * 1024**3  # ten of the largest containers
_ARCHIVE: Final = b"PK"
_MAPPED_BYTES: Final = 16 * 1024 * 1024  # from here on a container is mapped instead of read
# Of the files beside a signature, all together: they are held in memory while it is judged.
MAX_BESIDE_BYTES: Final = 256 * 1024 * 1024


class AsOf(Enum):
    """Instants of judging that are not a date."""

    NOW = "now"
    SIGNING = "signing"  # when each file was signed, as proved, or else as the signer states


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustFiles:
    """What an auditor brings along, as files and fingerprints."""

    anchors: Sequence[Path | str] = ()  # PEM or DER files, or SHA-256 in hexadecimal
    certificates: Sequence[Path] = ()  # used to build paths, not believed
    crls: Sequence[Path] = ()
    ocsps: Sequence[Path] = ()
    policy: Path | None = None  # TOML or JSON: what is asked beyond the rules built in
    trust_lists: Sequence[Path] = ()  # TS 119 612; their operators' certificates are anchors


def judge_path(path: Path, *, trusted: TrustFiles, at: datetime | AsOf | None = None) -> Report:
    """Judge a file, now or as of another instant; what it signs may lie beside it.

    Raises `FileUnreadable`, `AnchorRefused`, and what `given_of` raises.
    """
    return judge_given(path, given=given_of(trusted, at=at), at=at)


def judge_given(path: Path, *, given: TrustGiven, at: datetime | AsOf | None = None) -> Report:
    """Judge a file under trust that was read before; raise `FileUnreadable`."""
    content = content_of(path)
    return judge_bytes(content, name=path.name, given=given, at=at, files=beside(path, content))


def judge_bytes(
    content: bytes | Path,
    *,
    name: str,
    given: TrustGiven,
    at: datetime | AsOf | None = None,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Report:
    """Judge bytes, or a file, under a name; `files` are those that a signature may be over."""

    def judged(instant: datetime) -> Report:
        found = judge_file(content, name=name, given=given, at=instant, files=files)
        return report_of(found, name=name, given=given, at=instant)

    if isinstance(at, datetime):
        return judged(at)
    report = judged(SystemClock().now())
    if at is not AsOf.SIGNING:
        return report
    stated = [one.best_time or one.claimed_time for one in report.signatures]
    instants = [one for one in stated if one is not None and one < report.judged_at]
    if not instants:
        return report
    # The last of them: every signature of the file existed by then, if its signer spoke the truth.
    report = judged(max(instants))
    if all(one.best_time for one in report.signatures):
        return report
    claimed = ReportReason(code="signing_time_claimed", parameters={})
    return replace(report, notices=(*report.notices, claimed))


def passes(
    content: bytes | Path, *, name: str, given: TrustGiven, at: datetime, files: Mapping[str, bytes]
) -> bool:
    """Return whether bytes pass, where nobody wants to know more: it takes half the time."""
    return judge_file(content, name=name, given=given, at=at, files=files).verdict.is_passed


def content_of(path: Path) -> bytes | Path:
    """Return the bytes to judge, or the path of a large container, which is never held in memory.

    Raises `FileUnreadable`.
    """
    with suppress(OSError):  # reading tells what is wrong
        if _MAPPED_BYTES <= path.stat().st_size <= MAX_FILE_BYTES:
            with path.open("rb") as source:
                if source.read(len(_ARCHIVE)) == _ARCHIVE:
                    return path
    return read_file(path)


def beside(path: Path, content: bytes | Path) -> dict[str, bytes]:
    """Return the files in the folder of `path` (or below) that its signature may be over."""
    if isinstance(content, Path):
        return {}  # a container holds what its signatures are over
    folder = path.parent.resolve()
    found: dict[str, bytes] = {}
    room = MAX_BESIDE_BYTES
    for name in files_wanted(content, name=path.name):
        # A name from a stranger's file: too long, with a NUL, or leading elsewhere.
        with suppress(OSError, ValueError):
            target = _spelled(folder / name).resolve()
            if target.is_relative_to(folder) and target.is_file() and target != path.resolve():
                size = target.stat().st_size
                room -= size
                if room >= 0:
                    found[name] = target.read_bytes()
    return found


def _spelled(path: Path) -> Path:
    """Return the path as its name is written on disk, where letters may be taken apart."""
    if path.exists() or not path.parent.is_dir():
        return path
    wanted = unicodedata.normalize("NFC", path.name)
    same = (
        one for one in path.parent.iterdir() if unicodedata.normalize("NFC", one.name) == wanted
    )
    return next(same, path)


def given_of(trusted: TrustFiles, *, at: datetime | AsOf | None = None) -> TrustGiven:
    """Return what the caller trusts; trust lists are judged as of an instant `at`, else as of now.

    Raises `AnchorRefused`, `RevocationFileRefused`, `FileUnreadable`, `PolicyRefused`,
    `TrustListMalformed`, and the verdict on a trust list that is not signed under the anchors, as
    `signing.verify.open_xml` does.
    """
    certificates: list[bytes] = []
    fingerprints: set[str] = set()
    for anchor in trusted.anchors:
        text = str(anchor).removeprefix("sha256:").lower()
        if len(text) == _FINGERPRINT_LENGTH and set(text) <= set("0123456789abcdef"):
            fingerprints.add(text)
        else:
            certificates += _certificates(Path(anchor))
    given = TrustGiven(
        anchors=tuple(certificates),
        fingerprints=frozenset(fingerprints),
        certificates=tuple(one for path in trusted.certificates for one in _certificates(path)),
        crls=tuple(one for path in trusted.crls for one in _lists(path)),
        ocsps=tuple(_response(path) for path in trusted.ocsps),
        rules=parse_rules(read_file(trusted.policy)) if trusted.policy else standard(),
    )
    if not trusted.trust_lists:
        return given
    now = SystemClock().now()
    then = at if isinstance(at, datetime) else now
    lists = [_trust_list(path, given, then) for path in trusted.trust_lists]
    return replace(
        given,
        services=tuple(service for one in lists for service in one.services),
        notices=tuple(_outdated(one) for one in lists if _is_outdated(one, now)),
    )


def _trust_list(path: Path, given: TrustGiven, then: datetime) -> TrustList:
    trust = Trust(
        anchors=tuple(given.anchors),
        certificates=tuple(given.certificates),
        crls=tuple(given.crls),
        ocsps=tuple(given.ocsps),
        fingerprints=given.fingerprints,
    )
    return open_trust_list(read_file(path), trust=trust, at=then)


def _is_outdated(one: TrustList, now: datetime) -> bool:
    return one.next_update is not None and one.next_update < now


def _outdated(one: TrustList) -> Reason:
    due = one.next_update.isoformat() if one.next_update else ""
    return Reason(
        code="trust_list_outdated", parameters=(("territory", one.territory), ("time", due))
    )


def _certificates(path: Path) -> tuple[bytes, ...]:
    try:
        return read_certificates(path.read_bytes())
    except (OSError, CertificateRefused) as exc:
        raise AnchorRefused(
            "expected a certificate file or a SHA-256 fingerprint", name=str(path)[:80]
        ) from exc


def _lists(path: Path) -> tuple[bytes, ...]:
    found = lists_in(read_file(path))
    if not all(is_list(one) for one in found):
        raise RevocationFileRefused("expected a CRL, PEM or DER", name=path.name)
    return found


def _response(path: Path) -> bytes:
    content = read_file(path)
    if not is_response(content):
        raise RevocationFileRefused("expected an OCSP response in DER", name=path.name)
    return content


def read_file(path: Path) -> bytes:
    """Return the bytes of a file; raise `FileUnreadable`, before reading one that is too large."""
    try:
        with path.open("rb") as source:
            is_small = os.fstat(source.fileno()).st_size <= MAX_FILE_BYTES
            content = source.read(MAX_FILE_BYTES + 1) if is_small else None
    except OSError as exc:
        raise FileUnreadable(
            f"expected a readable file, got {exc.strerror}", name=path.name
        ) from exc
    if content is None or len(content) > MAX_FILE_BYTES:
        raise FileUnreadable(f"expected at most {MAX_FILE_BYTES} bytes, got more", name=path.name)
    return content


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def page_of(report: Report, *, language: Language) -> ReportPage:
    """Return the report in the words of one language."""
    return report_page(report, language=language)


def verdict_of(answer: Answer, *, language: Language) -> str:
    """Return an answer in one or a few words."""
    return verdict_words(answer, language)


def text_of(report: Report, *, language: Language) -> str:
    """Return the report as plain text."""
    return report_text(report, language=language)


def json_of(report: Report) -> bytes:
    """Return the report as JSON, `signing/schemas/report.schema.json`."""
    return dump_report(report)


def html_of(reports: Sequence[Report], *, language: Language) -> str:
    """Return the reports as one HTML page that stands alone."""
    return report_html(reports, language=language)


def etsi_of(reports: Sequence[Report], *, language: Language) -> bytes:
    """Return the reports as one ETSI TS 119 102-2 document."""
    return report_etsi(reports, language=language)
