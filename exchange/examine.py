"""Examine a node: what works, what will soon not, and what to do about it."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import Final

from dossier.clock import SystemClock
from dossier.errors import LienThongError, Unavailable
from exchange import machinery, webhooks
from exchange.directory import CurrentDirectory
from exchange.errors import DirectoryMissing
from exchange.finding import Finding, finding
from exchange.settings import Settings
from exchange.trust import read_trust
from signing.certificate import parse_certificate
from signing.crl import crl_end
from signing.keys import read_certificates
from storage import agencies, circuits, inbox, incidents, instances, tallies
from storage.transactions import database_instant, is_read_only

_SOON: Final = timedelta(days=30)
_SKEW: Final = timedelta(seconds=5)
_LEAST_DISK_BYTES: Final = 1024**3


def examine(here: Settings) -> list[Finding]:
    """Return what was found, good and bad; without a database what can be seen without one."""
    now = SystemClock().now()
    alone = [_disk(here), _trust(here, now), *machinery.without_database(here, now)]
    try:
        found = [_database(now), _directory(now), *_seals(here, now)]
        found += [*machinery.of_database(here, now), _incidents(), _backlogs(now)]
        return [*found, *_circuits(), *_webhooks(), *alone]
    except Unavailable as exc:
        away = str(exc.parameters.get("detail", exc.code))
        return [finding("database_away", False, detail=away), *alone]


def _database(now: datetime) -> Finding:
    if is_read_only():
        return finding("database_read_only", False)
    skew = abs(database_instant() - now)
    return finding("database", skew <= _SKEW, seconds=int(skew.total_seconds()))


def _disk(here: Settings) -> Finding:
    free = shutil.disk_usage(here.home).free
    return finding("disk", free >= _LEAST_DISK_BYTES, free=free // 1024**2)


def _directory(now: datetime) -> Finding:
    try:
        current = CurrentDirectory().directory()
    except DirectoryMissing:
        return finding("directory", False, number=0)
    return finding("directory", current.valid_until > now + _SOON, number=current.number)


def _seals(here: Settings, now: datetime) -> list[Finding]:
    findings = []
    for agency in agencies.hosted():
        path = here.keys_dir / "seals" / f"{agency.code}.crt.pem"
        if not path.exists():
            findings.append(finding("seal", False, agency=agency.code, days=0))
            continue
        until = parse_certificate(read_certificates(path.read_bytes())[0]).not_after
        left = (until - now).days
        findings.append(finding("seal", until > now + _SOON, agency=agency.code, days=left))
    return findings


def _trust(here: Settings, now: datetime) -> Finding:
    try:
        trust = read_trust(here.trust_dir)
        ends = [crl_end(one) for one in trust.crls]
    except LienThongError:
        return finding("trust", False, crls=0, old=0)
    old = sum(end <= now for end in ends)
    return finding("trust", bool(ends) and not old, crls=len(ends), old=old)


def _incidents() -> Finding:
    count = incidents.count_open()
    return finding("incidents", count == 0, count=count)


def _backlogs(now: datetime) -> Finding:
    due = instances.backlog(now).due + tallies.delivery_backlog(now).due + inbox.backlog().due
    return finding("backlog", due < 1000, due=due)


def _circuits() -> list[Finding]:
    troubled = circuits.all_circuits()
    return [
        finding("circuit", False, agency=one.partner, failures=one.failures, error=one.last_error)
        for one in troubled
    ] or [finding("circuit", True)]


def _webhooks() -> list[Finding]:
    found = [
        finding("webhook", False, name=one.name, count=one.stuck)
        for one in webhooks.listed()
        if one.stuck
    ]
    return found or [finding("webhook", True)]
