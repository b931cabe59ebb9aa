"""Do pieces of work on several processes, and give the results in the order of the pieces.

Workers take the next piece when they are free. They are forked where nothing else runs in this
process, so they start at once and know what it already knows; elsewhere they are spawned.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from typing import TypeVar

from exchange.parallel_errors import WorkerLost

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def is_forking() -> bool:
    """Return whether workers would be copies of this process, memory and all."""
    # A thread's lock that is held while forking is never released in the copy.
    return sys.platform == "linux" and threading.active_count() == 1


def in_order(
    pieces: Sequence[Piece], work: Callable[[Piece], Result], *, workers: int
) -> Iterator[Result]:
    """Yield `work` of each piece in order; raise `WorkerLost` when a process ends before its time.

    `work` and the pieces must be picklable, unless `is_forking`.
    """
    context: BaseContext = get_context("fork" if is_forking() else "spawn")
    turn: Synchronized[int] = context.Value("q", 0)
    crew: list[BaseProcess] = []
    receivers: list[Connection] = []
    try:
        for _ in range(workers):
            receiver, sender = context.Pipe(duplex=False)
            process: BaseProcess = context.Process(  # type: ignore[attr-defined]  # each context has it
                target=_work, args=(pieces, work, turn, sender), daemon=True
            )
            process.start()
            sender.close()  # ours, so that its end is seen when the worker is gone
            crew.append(process)
            receivers.append(receiver)
        yield from _collected(receivers, len(pieces))
    finally:
        for process in crew:
            process.terminate()
            process.join()


def _collected(receivers: list[Connection], count: int) -> Iterator[Result]:
    early: dict[int, Result] = {}
    awaited = 0
    while awaited < count:
        ready = [one for one in wait(receivers) if isinstance(one, Connection)]
        for receiver in ready:
            try:
                number, result = receiver.recv()
            except EOFError:
                receivers.remove(receiver)
                continue
            early[number] = result
        while awaited in early:
            yield early.pop(awaited)
            awaited += 1
        if not receivers and awaited < count:
            raise WorkerLost("expected every piece done, got a process that ended", number=awaited)


def _work(
    pieces: Sequence[Piece],
    work: Callable[[Piece], Result],
    turn: Synchronized[int],
    sender: Connection,
) -> None:
    while True:
        with turn.get_lock():
            number = turn.value
            turn.value += 1
        if number >= len(pieces):
            sender.close()
            return
        sender.send((number, work(pieces[number])))
