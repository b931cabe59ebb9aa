"""Messages of a play that are refused, redirected, taken back, replaced, or meet a successor.

It is what `exchange.supersede` and `exchange.superseded` do to real ones: what no instance has
taken is withdrawn; what one has taken is never undone by a machine, a person there is told.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

from workflows.expressions import Value
from workflows.quietplay import Quiet, Sent
from workflows.rows import Run
from workflows.scenario_errors import PlayRefused


class Post(StrEnum):
    """What a scenario does to messages of a type, or to the agency of a role (the last one)."""

    REFUSE = "refuse"
    REDIRECT = "redirect"
    RECALL = "recall"
    REPLACE = "replace"
    UPDATE = "update"
    MERGE = "merge"


_TOLD: Final = {
    Post.RECALL: "message_recalled",
    Post.REPLACE: "message_replaced",
    Post.UPDATE: "message_updated",
}


class Posts:
    """What became of the messages of one play; mutable."""

    def __init__(
        self,
        sent: MutableSequence[Sent],
        under_way: MutableSequence[Sent],
        runs: Mapping[str, Run],
        *,
        quiet: Quiet,
    ) -> None:
        self.refused: list[Sent] = []  # came back, and nothing stands for them yet
        self.told: dict[str, list[str]] = {role: [] for role in runs}  # codes of incidents
        self._sent = sent
        self._under_way = under_way
        self._runs = runs
        self._quiet = quiet
        self._refusing: set[str] = set()
        self._merged: set[str] = set()
        self._over: list[Sent] = []  # something stands for them

    def leave(self, message: Sent) -> None:
        """Let a message leave its pool; what is refused comes back, the rest is under way."""
        routed = replace(message, is_to_successor=message.to_role in self._merged)
        is_refused = message.message_type in self._refusing
        self._sent.append(routed)
        self._quiet.note(routed, is_refused=is_refused)
        if is_refused:
            self.refused.append(routed)
        elif message.to_role in self._runs or not message.to_role:
            self._under_way.append(routed)

    def do(self, post: Post, subject: str, *, at: datetime) -> None:
        """Do it; raise `PlayRefused` where there is no such message, or it stands otherwise."""
        match post:
            case Post.REFUSE:
                self._refusing.add(subject)
            case Post.MERGE:
                self._merged.add(subject)
            case Post.REDIRECT:
                self._redirect(subject, at=at)
            case Post.RECALL | Post.REPLACE | Post.UPDATE:
                self._stand_for(post, subject, at=at)
            case _:
                assert_never(post)

    def _redirect(self, message_type: str, *, at: datetime) -> None:
        old = self._last(message_type)
        if not any(old is one for one in self.refused):
            raise _nothing(message_type, "a refused message")
        self.refused.remove(old)
        self._over.append(old)
        self._refusing.discard(message_type)
        self.leave(replace(old, at=at))

    def _stand_for(self, post: Post, message_type: str, *, at: datetime) -> None:
        old = self._last(message_type)
        if any(old is one for one in self.refused):
            raise _nothing(message_type, "a message that was not refused")
        self._over.append(old)
        values = {} if post is Post.RECALL else self._values_now(old)
        documents = () if post is Post.RECALL else old.documents
        new = replace(old, at=at, values=values, documents=documents, action=post.value)
        self._sent.append(new)
        if any(one is old for one in self._under_way):
            self._under_way.remove(old)
            if post is not Post.RECALL:
                self._under_way.append(new)
        elif old.to_role in self._runs:
            self._runs[old.to_role].documents |= frozenset(documents)
            self.told[old.to_role].append(_TOLD[post])

    def _values_now(self, old: Sent) -> Mapping[str, Value]:
        kept = self._runs[old.from_role].values
        return {name: kept.get(name, value) for name, value in old.values.items()}

    def _last(self, message_type: str) -> Sent:
        for one in reversed(self._sent):
            if one.message_type == message_type and not one.action:
                if any(one is other for other in self._over):
                    break
                return one
        raise _nothing(message_type, "a message that nothing stands for yet")


def _nothing(message_type: str, expected: str) -> PlayRefused:
    return PlayRefused(f"expected {expected}", element=message_type, reason="nothing_to_resend")
