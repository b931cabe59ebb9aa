"""Refusing, redirecting, recalling and replacing messages of a play, and merged agencies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from dossier.calendar import load_calendar
from tests.builders.procedures import shipped
from workflows.expressions import Value
from workflows.play import Play
from workflows.postplay import Post, Posts
from workflows.quietplay import Quiet, Sent
from workflows.scenario import run
from workflows.scenario_errors import PlayRefused, ScenarioRefused
from workflows.scenariofile import parse_scenario

AT = datetime(2022, 4, 5, 1, 0, tzinfo=UTC)
P8 = "p8_official_letter"
HEAD = "name: {vi: Thử, en: Try}\nat: 2022-04-05T08:00:00+07:00\nsteps:\n"


class Between:
    """A letter that left its pool and that nobody has taken."""

    def __init__(self) -> None:
        calendar = load_calendar()
        play = Play(shipped(P8), roles=("sender", "receiver"), at=AT, calendar=calendar)
        play.runs["sender"].values["letter_subject"] = "mới"
        self.sent: list[Sent] = []
        self.under_way: list[Sent] = []
        quiet = Quiet(self.sent, calendar=calendar)
        self.posts = Posts(self.sent, self.under_way, play.runs, quiet=quiet)
        self.posts.leave(letter({"letter_subject": "cũ"}))

    def do(self, post: Post, subject: str = "letter") -> None:
        self.posts.do(post, subject, at=AT)


def letter(values: Mapping[str, Value]) -> Sent:
    return Sent(
        at=AT,
        message_type="letter",
        from_role="sender",
        to_role="receiver",
        documents=("letter",),
        values=values,
    )


def test_what_nobody_has_taken_is_withdrawn_and_nobody_is_told() -> None:
    between = Between()
    between.do(Post.RECALL)
    assert between.under_way == []
    assert [one.action for one in between.sent] == ["", "recall"]
    assert between.posts.told["receiver"] == []


@pytest.mark.parametrize("post", [Post.REPLACE, Post.UPDATE])
def test_what_nobody_has_taken_is_handed_over_as_it_is_now(post: Post) -> None:
    between = Between()
    between.do(post)
    assert [(one.action, one.values) for one in between.under_way] == [
        (post.value, {"letter_subject": "mới"})
    ]
    assert between.posts.told["receiver"] == []


def test_only_what_was_refused_is_redirected_and_only_once() -> None:
    between = Between()
    with pytest.raises(PlayRefused):
        between.do(Post.REDIRECT)
    between.do(Post.REFUSE)
    between.posts.leave(letter({}))
    assert len(between.posts.refused) == 1
    with pytest.raises(PlayRefused):
        between.do(Post.REPLACE)
    between.do(Post.REDIRECT)
    assert (between.posts.refused, len(between.under_way)) == ([], 2)
    with pytest.raises(PlayRefused):
        between.do(Post.REDIRECT)


def test_one_message_stands_for_another() -> None:
    between = Between()
    between.do(Post.REPLACE)
    with pytest.raises(PlayRefused):
        between.do(Post.RECALL)


def test_what_leaves_after_a_merger_goes_to_the_successor() -> None:
    between = Between()
    between.do(Post.MERGE, "receiver")
    between.posts.leave(letter({}))
    assert [one.is_to_successor for one in between.sent] == [False, True]


@pytest.mark.parametrize("verb", ["refuse", "redirect", "recall", "replace", "update"])
def test_a_scenario_names_a_known_message_type(verb: str) -> None:
    text = f"{HEAD}  - {verb}: moon\n"
    with pytest.raises(ScenarioRefused, match="line 4: unknown message type moon"):
        parse_scenario(text.encode(), procedure=shipped(P8))


def test_a_scenario_merges_the_agency_of_a_known_role() -> None:
    with pytest.raises(ScenarioRefused, match="line 4: unknown role moon"):
        parse_scenario(f"{HEAD}  - merge: moon\n".encode(), procedure=shipped(P8))


def test_nothing_is_recalled_that_was_not_sent() -> None:
    steps = f"{HEAD}  - start: sender\n  - recall: letter\n"
    procedure = shipped(P8)
    (found,) = run(procedure, parse_scenario(steps.encode(), procedure=procedure)).mismatches
    assert (found.line, found.what, found.expected) == (5, "recall", "done")
