"""Judge many files: on all cores, each answer as it comes, and so that it can be taken up again.

A ledger keeps the reports made under one trust. A file is judged again when it, or a file that
its signature is over, is not the one that the ledger knows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from dossier.clock import SystemClock
from dossier.report import Answer, Report, Subject
from exchange.errors import FileUnreadable, LedgerRefused
from exchange.parallel import in_order, is_forking
from exchange.verify import AsOf, beside, content_of, cores, json_of, judge_bytes, passes, read_file
from signing import bulk
from signing.evidence import BundleJudgement, TrustGiven, files_wanted, subject_of
from signing.indication import SubIndication
from signing.judgement import indeterminate
from signing.policy import fingerprint
from signing.report import report_of
from signing.verify import mapped

_BATCH: Final = 256  # files that travel to a worker at a time
# Below both, starting further processes costs more than they save.
_FEW_FILES: Final = 64
_FEW_BYTES: Final = 16 * 1024 * 1024
_HEAD_BYTES: Final = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A file to be judged."""

    path: Path
    name: str  # from the folder that was named; tells files of the same name apart
    known: str = ""  # what the ledger knows it by; empty when it is not there


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One answer."""

    name: str
    answer: Answer
    json: bytes  # the report; empty where it was not asked for
    report: Report | None  # None where it was not asked for, or when the ledger had the answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is to come back from the judging besides the answer: each costs time per file."""

    json: bool = True
    reports: bool = True
    passed_reports: bool = True  # False: reports only of what did not pass


ALL_WANTED: Final = Wanted()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    key: str  # of the bytes judged
    answer: Answer | None = None  # None when the ledger's answer still stands
    json: bytes = b""
    report: Report | None = None
    line: str = ""  # of the ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """Judging under one trust; it is handed to every worker once."""

    given: TrustGiven
    at: datetime | AsOf | None
    wanted: Wanted
    is_kept: bool  # in a ledger

    @property
    def is_brief(self) -> bool:
        """Return whether of a file that passes nothing is wanted but the answer."""
        wants = self.wanted.json or (self.wanted.reports and self.wanted.passed_reports)
        return not wants and not self.is_kept and self.at is not AsOf.SIGNING

    def of_many(self, found: Sequence[Found]) -> list[_Outcome]:
        """Return the outcomes of a few files."""
        return [_judge(one, self) for one in found]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """Reports by name, with the key of what was judged, as they were when it was opened."""

    path: Path
    known: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)


def find_files(paths: Sequence[Path]) -> list[Found]:
    """Return the files, and those of folders among them in the order of their names.

    Of a folder, files that carry no signature and that a signature beside them names are left
    out: they are judged with it.
    """
    found: list[Found] = []
    for path in paths:
        if not path.is_dir():
            found.append(Found(path=path, name=path.name))
            continue
        inside = sorted(one for one in path.rglob("*") if one.is_file())
        spoken_for = {target for one in inside for target in _named_by(one)}
        found += [
            Found(path=one, name=one.relative_to(path).as_posix())
            for one in inside
            if one.resolve() not in spoken_for or _is_signed(one)
        ]
    return found


def _named_by(path: Path) -> Iterator[Path]:
    """Yield the files that a detached signature or a time-stamp at `path` is over."""
    try:
        with path.open("rb") as source:
            head = source.read(_HEAD_BYTES)
        if subject_of(head) in (Subject.XML, Subject.TIMESTAMP, Subject.CMS):
            for name in files_wanted(read_file(path), name=path.name):
                yield (path.parent / name).resolve()
    except (FileUnreadable, OSError, ValueError):
        return  # it will be told when the file is judged


def _is_signed(path: Path) -> bool:
    try:
        content = read_file(path)
    except FileUnreadable:
        return True  # so that it is told
    subject = subject_of(content)
    marks = {Subject.XML: b"SignedInfo", Subject.PDF: b"/ByteRange"}
    return subject is not Subject.UNKNOWN and marks.get(subject, b"") in content


def open_ledger(path: Path, *, given: TrustGiven, at: datetime | AsOf | None) -> Ledger:
    """Return the ledger at `path`, begun when there is none.

    A last line that was cut off counts for nothing. Raises `LedgerRefused`.
    """
    heading = {"format": 1, "trust": _trust_key(given, at)}
    if not path.exists():
        path.write_text(json.dumps(heading) + "\n", encoding="utf-8")
        return Ledger(path=path)
    content = path.read_bytes()
    whole, _, torn = content.rpartition(b"\n")
    if torn:
        path.write_bytes(whole + b"\n")
    try:
        first, *lines = [json.loads(one) for one in whole.splitlines()]
        known = {str(one["name"]): (str(one["key"]), _spell(one["report"])) for one in lines}
    except (ValueError, KeyError, TypeError) as exc:
        raise LedgerRefused("expected a ledger, got something else", name=path.name) from exc
    if first != heading:
        raise LedgerRefused("expected a ledger of this trust, got another", name=path.name)
    return Ledger(path=path, known=known)


def _spell(report: object) -> bytes:
    """Return a report as `lienthong verify --json` prints it."""
    return json.dumps(report, ensure_ascii=False, indent=2).encode()


def _trust_key(given: TrustGiven, at: datetime | AsOf | None) -> str:
    digest = hashlib.sha256()
    for kind in (given.anchors, given.certificates, given.crls, given.ocsps):
        digest.update("".join(sorted(fingerprint(one) for one in kind)).encode() + b";")
    listed = sorted(f"{one.kind.value}{fingerprint(one.certificate)}" for one in given.services)
    digest.update("".join((*sorted(given.fingerprints), *listed)).encode())
    digest.update(f"{given.rules.label} {given.rules.sha256};".encode())
    digest.update(str(at.value if isinstance(at, AsOf) else at).encode())
    return digest.hexdigest()


def judge_all(
    found: Sequence[Found],
    *,
    given: TrustGiven,
    at: datetime | AsOf | None = None,
    ledger: Ledger | None = None,
    wanted: Wanted = ALL_WANTED,
    workers: int | None = None,
) -> Iterator[Judged]:
    """Yield the answers in the order of `found`; a file that cannot be read gets one too.

    Each answer is in the ledger before the next one is given. `workers` are processes, one for
    each core when it is None.
    """
    known: Mapping[str, tuple[str, bytes]] = ledger.known if ledger else {}
    waiting = [
        replace(one, known=known[one.name][0]) if one.name in known else one for one in found
    ]
    task = _Task(given=given, at=at, wanted=wanted, is_kept=ledger is not None)
    outcomes = _outcomes(waiting, task, workers or cores())
    with ledger.path.open("a", encoding="utf-8") if ledger else nullcontext() as kept:
        for one, outcome in zip(waiting, outcomes, strict=True):
            if outcome.answer is None:
                report = known[one.name][1]
                answer = Answer(json.loads(report)["indication"])
                yield Judged(name=one.name, answer=answer, json=report, report=None)
                continue
            if kept is not None:
                kept.write(outcome.line)
                kept.flush()
            yield Judged(
                name=one.name, answer=outcome.answer, json=outcome.json, report=outcome.report
            )


def _outcomes(found: Sequence[Found], task: _Task, workers: int) -> Iterator[_Outcome]:
    if workers == 1 or _is_little(found):
        for one in found:
            yield _judge(one, task)
        return
    # The first file is judged here: what is remembered of the trust goes to every worker.
    yield _judge(found[0], task)
    rest = found[1:]
    size = max(1, min(_BATCH, len(rest) // (workers * 8)))
    batches = [rest[start : start + size] for start in range(0, len(rest), size)]
    if not is_forking():
        task = replace(task, given=replace(task.given))  # a copy remembers nothing, and travels
    for outcomes in in_order(batches, task.of_many, workers=workers):
        yield from outcomes


def _is_little(found: Sequence[Found]) -> bool:
    return len(found) < 2 or (
        len(found) < _FEW_FILES
        and sum(one.path.stat().st_size for one in found if one.path.exists()) < _FEW_BYTES
    )


def _judge(one: Found, task: _Task) -> _Outcome:
    try:
        content = content_of(one.path)
    except FileUnreadable:
        return _told(one, "", _unreadable(one.name, task.given), task)
    files = beside(one.path, content)
    key = _key(content, files)
    if key == one.known:
        return _Outcome(key=key)
    if task.is_brief:
        at = task.at if isinstance(task.at, datetime) else SystemClock().now()
        if passes(content, name=one.path.name, given=task.given, at=at, files=files):
            return _Outcome(key=key, answer=Answer.PASSED)
    report = judge_bytes(content, name=one.path.name, given=task.given, at=task.at, files=files)
    return _told(one, key, replace(report, name=one.name), task)


def _told(one: Found, key: str, report: Report, task: _Task) -> _Outcome:
    """Return of a report what was asked for."""
    wanted = task.wanted
    spelled = json_of(report) if wanted.json or task.is_kept else b""
    line = ""
    if task.is_kept:
        entry = {"name": one.name, "key": key, "report": json.loads(spelled)}
        line = json.dumps(entry, ensure_ascii=False) + "\n"
    keeps = wanted.reports and (wanted.passed_reports or not report.is_passed)
    return _Outcome(
        key=key,
        answer=report.indication,
        json=spelled if wanted.json else b"",
        report=report if keeps else None,
        line=line,
    )


def _key(content: bytes | Path, files: Mapping[str, bytes]) -> str:
    octets = mapped(content) if isinstance(content, Path) else content
    digest = hashlib.sha256(bulk.sha256(octets))
    for name, one in files.items():
        digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(one).digest())
    return digest.hexdigest()


def _unreadable(name: str, given: TrustGiven) -> Report:
    verdict = indeterminate(SubIndication.GENERIC, "file_unreadable", name=name)
    judged = BundleJudgement(subject=Subject.UNKNOWN, verdict=verdict)
    return report_of(judged, name=name, given=given, at=SystemClock().now())
