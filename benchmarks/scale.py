"""A small simulation of load and failure: from one machine to a province to the nation.

    python -m benchmarks.scale          the tables of docs/explanation/scale.md

Work arrives in the shape of an office day, waits in a queue for each resource, and is done at the
measured unit costs. It says which resource is used up first and how long a failure is felt. It is a
plan, not a measurement: each assumption is a field below, with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

DAY_SECONDS = 24 * 3600
OFFICE_DAYS = 250
# Share of a day's dossiers that arrive in each hour: offices open 7:30 to 17:00, a lunch break,
# and what citizens send from home.
HOURS = (1, 1, 0, 0, 0, 1, 2, 8, 14, 13, 11, 5, 4, 12, 13, 9, 3, 1, 1, 1, 2, 2, 1, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """Unit costs as the benches print them; two shared cores, PostgreSQL on the same machine."""

    # worker.rate: 1,455 a second of two worker processes on two cores, database included
    transition_core_seconds: float = 2 / 1455
    # connectors.full_exchange: seal, send, verify, receipt, verify: 21.8 ms, half at each end
    message_core_seconds: float = 0.0218 / 2
    # a page with its queries: assumed on the safe side, no bench takes it
    page_core_seconds: float = 0.030
    # rows of a transition with history and log: assumed on the safe side
    transition_bytes: int = 2_500
    document_bytes: int = 400_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """What a nation asks for; change it and run again."""

    dossiers_a_year: int = 75_000_000  # 100 million people, three dossiers in four years each
    transitions: int = 12  # a dossier's, over all agencies
    messages: int = 4  # there and back between two agencies, twice
    pages: int = 24
    documents: int = 6
    busiest_day: float = 3.0  # the day after a long holiday against the average day


@dataclass(frozen=True, kw_only=True, slots=True)
class Machines:
    """What one node runs on."""

    cores: int
    of_exchange: int  # processes that deliver and receive; a core each
    disk_bytes_a_second: float = 100e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A share of the cores that is gone for a while, in the busiest hour."""

    name: str
    share: float
    seconds: int
    starts: int = 8 * 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """What came of a simulated day."""

    load: float  # highest use of a resource, 1.0 is all of it
    first_limit: str
    longest_wait_seconds: float
    caught_up_seconds: int  # from the failure's end until nothing waits any more
    came: float  # dossiers
    left: float  # of them, still waiting at midnight


NO_FAILURE = Failure(name="nothing fails", share=0.0, seconds=0)
FAILURES = (
    NO_FAILURE,
    Failure(name="half of the machines, 10 minutes", share=0.5, seconds=600),
    Failure(name="the database, 5 minutes", share=1.0, seconds=300),
    Failure(name="everything, 1 hour", share=1.0, seconds=3600),
)
SMALL = Machines(cores=4, of_exchange=2)
LARGE = Machines(cores=16, of_exchange=8)


def shares(provinces: int) -> list[float]:
    """Return each province's share of the nation, the largest first.

    Sizes fall with the square root of the rank: the largest of 63 has 7 times the smallest, as
    far as that goes for their populations.
    """
    weights = [1 / math.sqrt(rank) for rank in range(1, provinces + 1)]
    return [weight / sum(weights) for weight in weights]


def arrivals(volume: Volume, share: float) -> Iterator[float]:
    """Yield the dossiers that arrive in each second of the busiest day."""
    day = volume.dossiers_a_year / OFFICE_DAYS * share * volume.busiest_day
    for second in range(DAY_SECONDS):
        yield day * HOURS[second // 3600] / sum(HOURS) / 3600


def demands(volume: Volume, costs: Costs) -> dict[str, float]:
    """Return what one dossier costs of each resource: core seconds and bytes written."""
    return {
        "transitions and pages": volume.transitions * costs.transition_core_seconds
        + volume.pages * costs.page_core_seconds,
        "sealing and verifying": volume.messages * costs.message_core_seconds,
        "disk": volume.transitions * costs.transition_bytes
        + volume.documents * float(costs.document_bytes),
    }


def supplies(machines: Machines) -> dict[str, float]:
    """Return what the machines give of each resource in a second."""
    return {
        "transitions and pages": float(machines.cores - machines.of_exchange),
        "sealing and verifying": float(machines.of_exchange),
        "disk": machines.disk_bytes_a_second,
    }


def simulate(
    volume: Volume, share: float, machines: Machines, failure: Failure, costs: Costs | None = None
) -> Day:
    """Return the busiest day of a node with that share of the nation."""
    asked, given = demands(volume, costs or Costs()), supplies(machines)
    waiting = dict.fromkeys(asked, 0.0)
    used = dict.fromkeys(asked, 0.0)
    came, longest, last_late = 0.0, 0.0, 0
    ends = failure.starts + failure.seconds
    for second, dossiers in enumerate(arrivals(volume, share)):
        came += dossiers
        is_down = failure.starts <= second < ends
        for name, cost in asked.items():
            rate = given[name] * (1 - failure.share if is_down else 1.0)
            waiting[name] += dossiers * cost
            used[name] = max(used[name], dossiers * cost / given[name])
            waiting[name] -= min(waiting[name], rate)
            # What came before the failure's end waits for it too.
            wait = waiting[name] / given[name] + (ends - second if is_down and not rate else 0)
            if waiting[name] > 0:
                longest = max(longest, wait)
                last_late = second
    first = max(used, key=lambda name: used[name])
    return Day(
        load=used[first],
        first_limit=first,
        longest_wait_seconds=longest,
        caught_up_seconds=max(0, last_late - ends) if failure.seconds else 0,
        came=came,
        left=max(waiting[name] / asked[name] for name in asked),
    )


def headroom(volume: Volume, share: float, machines: Machines) -> float:
    """Return by how much the volume may grow until the first resource is used up."""
    return 1 / simulate(volume, share, machines, NO_FAILURE).load


def cores_needed(volume: Volume, share: float, *, spare: float = 2.0) -> int:
    """Return the cores with which the busiest hour uses only a part of them."""
    peak = max(arrivals(volume, share))
    asked = demands(volume, Costs())
    core_seconds = asked["transitions and pages"] + asked["sealing and verifying"]
    return max(2, math.ceil(peak * core_seconds * spare))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as Markdown, the first as its head."""
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def provinces_table(volume: Volume) -> str:
    """Return what the largest, the middle and the smallest province need, for 63 and for 34."""
    head = ("provinces", "which", "dossiers a year", "peak transitions/s", "peak messages/s")
    rows = [(*head, "cores", "documents a year")]
    for count in (63, 34):
        parts = shares(count)
        for name, index in (("largest", 0), ("middle", count // 2), ("smallest", count - 1)):
            part, peak = parts[index], max(arrivals(volume, parts[index]))
            terabytes = volume.dossiers_a_year * part * volume.documents * 400_000 / 1e12
            rows.append(
                (
                    str(count),
                    name,
                    f"{volume.dossiers_a_year * part / 1e6:.1f} million",
                    f"{peak * volume.transitions:.0f}",
                    f"{peak * volume.messages:.0f}",
                    str(cores_needed(volume, part)),
                    f"{terabytes:.1f} TB",
                )
            )
    return table(rows)


def failures_table(volume: Volume) -> str:
    """Return how long failures are felt in the largest province of 34."""
    rows = [("machines", "what fails", "load at the peak", "longest wait", "caught up after")]
    largest = shares(34)[0]
    for machines in (replace(SMALL, cores=8), LARGE):
        for failure in FAILURES:
            day = simulate(volume, largest, machines, failure)
            rows.append(
                (
                    f"{machines.cores} cores",
                    failure.name,
                    f"{day.load:.0%} ({day.first_limit})",
                    f"{day.longest_wait_seconds:,.0f} s",
                    f"{day.caught_up_seconds:,d} s",
                )
            )
    return table(rows)


def growth_table(volume: Volume) -> str:
    """Return how far one machine goes, and what is used up first."""
    rows = [("share of the nation", "machine", "grows by", "then the first limit is")]
    for name, share in (("one commune of 3,300", 1 / 3300), ("smallest of 63", shares(63)[-1])):
        for machines in (SMALL, LARGE):
            day = simulate(volume, share, machines, NO_FAILURE)
            grows = f"{headroom(volume, share, machines):.0f} times"
            rows.append((name, f"{machines.cores} cores", grows, day.first_limit))
    return table(rows)


def main() -> None:
    """Print the tables."""
    volume = Volume()
    print("\n\n".join(make(volume) for make in (growth_table, provinces_table, failures_table)))


if __name__ == "__main__":
    main()
