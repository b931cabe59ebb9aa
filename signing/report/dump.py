"""The report as JSON for other programs: `signing/schemas/report.schema.json`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from dossier.report import (
    Answer,
    Report,
    ReportEvent,
    ReportFile,
    ReportMessage,
    ReportReason,
    ReportSignature,
    ReportTimestamp,
)
from dossier.texts import Language
from dossier.xmltext import instant
from signing.report.words import sentence

# Counts up when a field changes its meaning or goes; new fields may come at any time.
FORMAT: Final = 1


def dump_report(report: Report) -> bytes:
    """Return the report as an indented JSON object in UTF-8."""
    value = {
        "format": FORMAT,
        **_answer(report.indication, report.sub_indication),
        "subject": report.subject.value,
        "name": report.name,
        "sha256": report.sha256,
        "judged_at": _instant(report.judged_at),
        "policy": report.policy,
        "policy_sha256": report.policy_sha256 or None,
        "suite": report.suite,
        "anchors": list(report.anchors),
        "dossier": report.dossier,
        "exporter": report.exporter,
        "directory_number": report.directory_number,
        "witnessed": report.is_witnessed,
        "reasons": [_reason(one, "reason") for one in report.reasons],
        "notices": [_reason(one, "notice") for one in report.notices],
        "signatures": [_signature(one) for one in report.signatures],
        "files": [_file(one) for one in report.files],
        "messages": [_message(one) for one in report.messages],
        "events": [_event(one) for one in report.events],
    }
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _signature(one: ReportSignature) -> dict[str, object]:
    return {
        "id": one.id,
        **_answer(one.indication, one.sub_indication),
        "level": one.level or None,
        "purpose": one.purpose or None,
        "signer": one.signer,
        "unit": one.unit,
        "agency": one.agency or None,
        "issuer": one.issuer,
        "role": one.role or None,
        "claimed_time": _instant(one.claimed_time),
        "best_time": _instant(one.best_time),
        "time_basis": one.time_basis.value,
        "independent_time": _instant(one.independent_time),
        "timestamps": [_timestamp(stamp) for stamp in one.timestamps],
        "integrity": one.integrity.value,
        "certificate": {
            "indication": one.certificate_answer.value if one.certificate_answer else None,
            "valid_from": _instant(one.certificate_from),
            "valid_until": _instant(one.certificate_until),
            "sha256": one.certificate_sha256 or None,
        },
        "chain": list(one.chain),
        "algorithm": one.algorithm or None,
        "digests": list(one.digests),
        "key": one.key or None,
        "commitments": list(one.commitments),
        "covers": list(one.covers),
        "reasons": [_reason(reason, "reason") for reason in one.reasons],
    }


def _timestamp(one: ReportTimestamp) -> dict[str, object]:
    return {
        **_answer(one.indication, one.sub_indication),
        "time": _instant(one.time),
        "authority": one.authority,
        "reasons": [_reason(reason, "reason") for reason in one.reasons],
    }


def _file(one: ReportFile) -> dict[str, object]:
    return {
        "name": one.name,
        "size": one.size_bytes,
        "sha256": one.sha256,
        "covered_by": list(one.covered_by),
    }


def _message(one: ReportMessage) -> dict[str, object]:
    return {
        "name": one.name,
        **_answer(one.indication, one.sub_indication),
        "message_id": one.message_id or None,
        "from": one.sender or None,
        "to": one.receiver or None,
        "message_type": one.message_type or None,
        "subject": one.subject,
        "issued": _instant(one.issued),
        "assurance": one.assurance or None,
        "receipt": one.receipt or None,
        "receipt_outcome": one.receipt_outcome or None,
        "receipt_code": one.receipt_code or None,
        "received": _instant(one.received),
        "time_basis": one.time_basis.value,
        "reasons": [_reason(reason, "reason") for reason in one.reasons],
    }


def _event(one: ReportEvent) -> dict[str, object]:
    return {
        "name": one.name,
        **_answer(one.indication, one.sub_indication),
        "sequence": one.sequence or None,
        "at": _instant(one.at),
        "kind": one.kind or None,
        "logged": one.is_logged,
        "log_index": one.log_index,
        "reasons": [_reason(reason, "reason") for reason in one.reasons],
    }


def _answer(indication: Answer, sub_indication: str) -> dict[str, object]:
    return {"indication": indication.value, "sub_indication": sub_indication or None}


def _reason(one: ReportReason, kind: str) -> dict[str, object]:
    return {
        "code": one.code,
        "parameters": dict(one.parameters),
        "text": {language.value: sentence(kind, one, language) for language in Language},
    }


def _instant(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None
