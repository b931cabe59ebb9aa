"""UTC offsets of FEEL's temporal values: fixed ones and those of named regions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC as PYTHON_UTC
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

_REGION: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


@dataclass(frozen=True, slots=True)
class Offset:
    """A fixed distance from UTC in seconds."""

    seconds: int

    def __str__(self) -> str:
        if self.seconds == 0:
            return "Z"
        minutes, seconds = divmod(abs(self.seconds), 60)
        shown = f"{'-' if self.seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
        return f"{shown}:{seconds:02}" if seconds else shown


@dataclass(frozen=True, slots=True)
class Region:
    """A named region of the IANA database, with its rules over time."""

    name: str

    def __str__(self) -> str:
        return f"@{self.name}"


Zone: TypeAlias = Offset | Region
UTC: Final = Offset(0)


def parse_offset(text: str) -> Zone | None:
    """Return the zone of `Z`, `+07:00`, `+07:00:30` or `@Asia/Ho_Chi_Minh`; else None."""
    if text in ("Z", "z"):
        return UTC
    if text.startswith("@"):
        return Region(text[1:]) if is_region(text[1:]) else None
    match = re.fullmatch(r"([+-])(\d\d):(\d\d)(?::(\d\d))?", text, re.ASCII)
    if match is None:
        return None
    hours, minutes, seconds = int(match[2]), int(match[3]), int(match[4] or 0)
    if hours > 14 or minutes > 59 or seconds > 59 or (hours == 14 and minutes + seconds > 0):
        return None
    total = hours * 3600 + minutes * 60 + seconds
    return Offset(-total if match[1] == "-" else total)


@lru_cache(maxsize=1024)
def is_region(name: str) -> bool:
    """Say whether `name` is a region that the machine's zone database knows."""
    return _REGION.fullmatch(name) is not None and _zone_info(name) is not None


@lru_cache(maxsize=1024)
def _zone_info(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None


def offset_at(zone: Zone, local: datetime) -> int:
    """Return the distance from UTC in seconds when clocks in `zone` show `local` (naive)."""
    if isinstance(zone, Offset):
        return zone.seconds
    known = _zone_info(zone.name)
    distance = local.replace(tzinfo=known).utcoffset() if known else None
    return int(distance.total_seconds()) if distance is not None else 0


def offset_of_instant(zone: Zone, utc: datetime) -> int:
    """Return the distance from UTC in seconds at the instant that is `utc` (naive) in UTC."""
    if isinstance(zone, Offset):
        return zone.seconds
    known = _zone_info(zone.name)
    distance = utc.replace(tzinfo=PYTHON_UTC).astimezone(known).utcoffset() if known else None
    return int(distance.total_seconds()) if distance is not None else 0
