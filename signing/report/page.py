"""The report in the words of one language: plain words first, then what they rest on.

Signatures carry the fields that Circular 15/2025/TT-BKHCN art. 6 asks to show, in its order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from dossier.report import (
    Answer,
    Report,
    ReportBlock,
    ReportEvent,
    ReportFile,
    ReportMessage,
    ReportPage,
    ReportReason,
    ReportRow,
    ReportSection,
    ReportSignature,
)
from dossier.texts import Language, spell
from signing.report.words import label, sentence, sub_words, verdict_words

# More than these are told at the parts themselves.
_MAX_REASONS: Final = 12
_GRAVITY: Final = {Answer.FAILED: 0, Answer.INDETERMINATE: 1, Answer.PASSED: 2}
_DIGEST_SHOWN: Final = 16
_COVERS_SHOWN: Final = 4
# These follow from other reasons and are told after them.
_DERIVED: Final = frozenset({"directory_not_proved", "receipt_not_proved"})


def report_page(report: Report, *, language: Language) -> ReportPage:
    """Return the page of a report."""
    reasons = _all_reasons(report, language)
    shown = reasons[:_MAX_REASONS]
    if len(reasons) > len(shown):
        shown.append(label("more_reasons", language, count=len(reasons) - len(shown)))
    sections = (
        _section("messages", [_message(one, language) for one in report.messages], language),
        _section("history", [_event(one, language) for one in report.events], language),
        _section("signatures", [_signature(one, language) for one in report.signatures], language),
        _section("files", [_file(one, language) for one in report.files], language),
    )
    return ReportPage(
        title=label(f"title_{report.subject.value}", language),
        answer=report.indication,
        verdict=verdict_words(report.indication, language),
        sentence=_verdict_sentence(report, language),
        reasons=tuple(shown),
        notices=tuple(sentence("notice", one, language) for one in report.notices),
        rows=tuple(_about(report, language)),
        sections=tuple(one for one in sections if one.blocks),
    )


def _verdict_sentence(report: Report, language: Language) -> str:
    if report.indication is Answer.PASSED:
        return label(
            f"passed_{report.subject.value}",
            language,
            signatures=len(report.signatures),
            files=len(report.files),
            dossier=report.dossier,
        )
    code = "failed" if report.indication is Answer.FAILED else "indeterminate"
    return label(code, language, why=sub_words(report.sub_indication, language))


def _all_reasons(report: Report, language: Language) -> list[str]:
    """Return every reason once, those of the whole and of the gravest parts first."""
    parts: list[ReportMessage | ReportEvent | ReportSignature] = [
        *report.messages,
        *report.events,
        *report.signatures,
    ]
    parts.sort(key=lambda one: _GRAVITY[one.indication])
    found: list[ReportReason] = [*report.reasons]
    for part in parts:
        found += part.reasons
    found.sort(key=lambda one: one.code in _DERIVED)
    return list(dict.fromkeys(sentence("reason", one, language) for one in found))


def _about(report: Report, language: Language) -> Iterator[ReportRow]:
    yield _row("result", _words(report.indication, language), language, report.indication)
    yield _row("file", report.name, language)
    if report.dossier:
        yield _row("dossier", report.dossier, language)
        yield _row("exporter", report.exporter, language)
    if report.directory_number is not None:
        yield _row("directory", str(report.directory_number), language)
    yield _row("judged_at", spell(report.judged_at, language), language)
    anchors = ", ".join(report.anchors) or label("no_anchor", language)
    yield _row("anchors", anchors, language)
    yield _row("sha256", report.sha256, language)
    digest = f" (SHA-256 {report.policy_sha256})" if report.policy_sha256 else ""
    yield _row("policy", report.policy + digest, language)
    yield _row("suite", report.suite, language)


def _message(one: ReportMessage, language: Language) -> ReportBlock:
    rows = [
        _row("sender", one.sender, language),
        _row("receiver", one.receiver, language),
        _row("subject", one.subject, language),
        _row("issued", _instant(one.issued, language), language),
        _row("assurance", _coded("assurance", one.assurance, language), language),
        _row("receipt", _receipt(one, language), language),
    ]
    return _block(one.name, one.name, one.indication, rows, one.reasons, language)


def _receipt(one: ReportMessage, language: Language) -> str:
    if not one.receipt_outcome:
        return label("receipt_unproved" if one.receipt else "receipt_none", language)
    stated = label(
        f"receipt_{one.receipt_outcome}",
        language,
        time=_instant(one.received, language),
        reason=one.receipt_code,
    )
    return f"{stated} ({label('basis_' + one.time_basis.value, language)})"


def _event(one: ReportEvent, language: Language) -> ReportBlock:
    logged = label(
        "logged" if one.is_logged else "unlogged",
        language,
        index=one.log_index if one.log_index is not None else 0,
    )
    rows = [
        _row("event", _coded("event", one.kind, language), language),
        _row("at", _instant(one.at, language), language),
        _row("log", logged, language),
    ]
    return _block(one.name, one.name, one.indication, rows, one.reasons, language)


def _signature(one: ReportSignature, language: Language) -> ReportBlock:
    # The order and the labels of Circular 15/2025/TT-BKHCN art. 6.
    rows = [
        _row("result", _words(one.indication, language), language, one.indication),
        _row("issuer", one.issuer, language),
        _row("signer", _signer(one, language), language),
        _row("unit", one.unit or label("unit_none", language), language),
        _row("claimed_time", _instant(one.claimed_time, language), language),
        _row("timestamp", _timestamps(one, language), language),
        _row("independent", _independent(one, language), language),
        _row("integrity", label(f"integrity_{one.integrity.value}", language), language),
        _row("certificate", _certificate(one, language), language, one.certificate_answer),
        _row("period", _period(one, language), language),
        _row("level", one.level, language),
        _row("covers", _covers(one, language), language),
        _row("algorithm", one.algorithm.rpartition("#")[2], language),
    ]
    title = f"{one.id}: {one.signer}" if one.signer else one.id
    return _block(one.id, title, one.indication, rows, one.reasons, language)


def _signer(one: ReportSignature, language: Language) -> str:
    more = [
        _coded("purpose", one.purpose, language),
        _coded("role", one.role, language),
        label("agency", language, code=one.agency) if one.agency else "",
    ]
    known = "; ".join(part for part in more if part)
    return f"{one.signer} ({known})" if known else one.signer


def _timestamps(one: ReportSignature, language: Language) -> str:
    if not one.timestamps:
        return label("timestamp_none", language)
    stamps = ", ".join(
        f"{_instant(stamp.time, language)} – {stamp.authority}" for stamp in one.timestamps
    )
    return f"{stamps} ({label('basis_self_asserted', language)})"


def _independent(one: ReportSignature, language: Language) -> str:
    if one.independent_time is None:
        return ""
    return label("existed_by", language, time=_instant(one.independent_time, language))


def _covers(one: ReportSignature, language: Language) -> str:
    """Return what it signs; of a long list the beginning, for every file names its signatures."""
    shown = ", ".join(one.covers[:_COVERS_SHOWN])
    more = len(one.covers) - _COVERS_SHOWN
    return f"{shown} {label('more_files', language, count=more)}" if more > 0 else shown


def _certificate(one: ReportSignature, language: Language) -> str:
    if one.certificate_answer is None:
        return label("not_checked", language)
    return verdict_words(one.certificate_answer, language)


def _period(one: ReportSignature, language: Language) -> str:
    if one.certificate_from is None or one.certificate_until is None:
        return ""
    return f"{spell(one.certificate_from, language)} – {spell(one.certificate_until, language)}"


def _file(one: ReportFile, language: Language) -> ReportBlock:
    covered = ", ".join(one.covered_by) or label("covered_by_none", language)
    rows = [
        _row("size", label("bytes", language, count=one.size_bytes), language),
        _row("sha256", f"{one.sha256[:_DIGEST_SHOWN]}…", language),
        _row("covered_by", covered, language, None if one.covered_by else Answer.FAILED),
    ]
    return ReportBlock(
        id=one.name, title=one.name, verdict="", answer=None, rows=tuple(rows), reasons=()
    )


def _section(code: str, blocks: Sequence[ReportBlock], language: Language) -> ReportSection:
    return ReportSection(code=code, title=label(f"section_{code}", language), blocks=tuple(blocks))


def _block(
    identity: str,
    title: str,
    answer: Answer,
    rows: Sequence[ReportRow],
    reasons: Sequence[ReportReason],
    language: Language,
) -> ReportBlock:
    return ReportBlock(
        id=identity,
        title=title,
        verdict=verdict_words(answer, language),
        answer=answer,
        # An empty value says nothing, and nothing is shown for it.
        rows=tuple(row for row in rows if row.value),
        reasons=tuple(sentence("reason", one, language) for one in reasons),
    )


def _row(code: str, value: str, language: Language, answer: Answer | None = None) -> ReportRow:
    return ReportRow(label=label(f"label_{code}", language), value=value, answer=answer)


def _words(answer: Answer, language: Language) -> str:
    return f"{verdict_words(answer, language)} ({answer.value})"


def _coded(kind: str, code: str, language: Language) -> str:
    return label(f"{kind}_{code}", language) if code else ""


def _instant(moment: datetime | None, language: Language) -> str:
    return spell(moment, language) if moment else ""
