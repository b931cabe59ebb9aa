"""What the processes of this machine count, summed up in one file of the node.

Workers come and go, some with each job, and the web process that is asked for the figures is yet
another one. So each adds what it counted since the last time to `run/figures.json` under a lock;
the sums outlive every process. Only what rises is kept here; levels are read from the database.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.metrics_core import Metric

TRANSITION_SECONDS: Final = Histogram(
    "lienthong_transition_seconds",
    "From a fact's commit to the commit of the transition that it made",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
DRAIN_FAILURES: Final = Counter(
    "lienthong_drain_failures", "Work that failed as a whole and is tried again", ["job", "code"]
)
_OURS: Final = "lienthong_"
_SEPARATOR: Final = "\t"
_EVERY_SECONDS: Final = 2.0
_FILE: Final = "figures.json"
Samples = dict[str, float]  # by the sample's name and its labels as canonical text


class _Published:
    """What this process has added to the file so far; mutable."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Count from now on: what was counted before is the parent's."""
        self.samples: Samples = dict(_own()[1])
        self.at = 0.0


def publish(folder: Path, *, now: bool = False) -> None:
    """Add what this process counted to the node's file, every two seconds at most.

    A machine that cannot write its own file must not stop the work that was counted.
    """
    if not now and time.monotonic() - _PUBLISHED.at < _EVERY_SECONDS:
        return
    _, samples = _own()
    fresh = {
        key: value - _PUBLISHED.samples.get(key, 0.0)
        for key, value in samples.items()
        if value != _PUBLISHED.samples.get(key, 0.0)
    }
    if fresh and not _add(folder, fresh):
        return
    _PUBLISHED.samples, _PUBLISHED.at = samples, time.monotonic()


def summed(folder: Path) -> Iterator[Metric]:
    """Yield our rising figures, summed over all processes of this machine so far."""
    publish(folder, now=True)
    known = _read(folder / _FILE)
    families, _ = _own()
    for family in families:
        metric = Metric(family.name, family.documentation, family.type)
        for name in _sample_names(family):
            for key, value in known.items():
                sample, _, labels = key.partition(_SEPARATOR)
                if sample == name:
                    metric.add_sample(sample, json.loads(labels), value)
        yield metric


def _sample_names(family: Metric) -> tuple[str, ...]:
    if family.type == "histogram":
        return tuple(family.name + end for end in ("_bucket", "_count", "_sum"))
    return (f"{family.name}_total",)


def _own() -> tuple[list[Metric], Samples]:
    families = [
        one
        for one in REGISTRY.collect()
        if one.name.startswith(_OURS) and one.type in ("counter", "histogram")
    ]
    samples = {
        _key(sample.name, sample.labels): sample.value
        for family in families
        for sample in family.samples
        if sample.name in _sample_names(family)
    }
    return families, samples


def _key(name: str, labels: Mapping[str, str]) -> str:
    return f"{name}{_SEPARATOR}{json.dumps(labels, sort_keys=True)}"


def _add(folder: Path, fresh: Samples) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(folder):
            known = _read(folder / _FILE)
            for key, value in fresh.items():
                known[key] = known.get(key, 0.0) + value
            written = folder / f"{_FILE}.new"
            written.write_text(json.dumps(known))
            written.replace(folder / _FILE)
    except OSError:
        return False
    return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / f"{_FILE}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> Samples:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):  # not there yet, or cut off by a power failure: count anew
        return {}
    return {str(key): float(value) for key, value in found.items()}


_PUBLISHED: Final = _Published()
