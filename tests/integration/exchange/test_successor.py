"""An agency merged into a successor: letters follow the directory, also those on their way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dossier.directory import Directory
from dossier.ids import AgencyCode
from dossier.model import MessageState
from exchange import submit
from storage import dossiers, outbox
from tests.builders.exchange import LETTER, SUBJECT, OneNode

HOA_BINH = "000.00.00.H28"
BINH_DINH = AgencyCode("000.00.00.H08")
MERGED = AgencyCode("000.00.00.H52")


@pytest.fixture
def merged(one: OneNode, monkeypatch: pytest.MonkeyPatch) -> Directory:
    """Give the directory an agency that was merged into Bình Định a month ago."""
    known = one.node.directory()
    successor = known.find(BINH_DINH)
    assert successor is not None
    past = replace(
        successor,
        code=MERGED,
        aliases=(),
        name_vi="Cơ quan đã sáp nhập",
        valid_until=one.node.now() - timedelta(days=30),
        successor=BINH_DINH,
        seals=(),
    )
    changed = replace(known, agencies=(*known.agencies, past))
    monkeypatch.setattr(one.node, "directory", lambda: changed)
    return changed


def start(one: OneNode) -> str:
    opened = submit.submit(
        one.node,
        one.actor("hb.chuyenvien"),
        procedure="official-letter",
        agency=HOA_BINH,
        subject=SUBJECT,
        addressee=MERGED,
    )
    one.drain()
    return dossiers.get(opened).code


def test_letter_to_a_merged_agency_goes_to_its_successor(one: OneNode, merged: Directory) -> None:
    code = start(one)
    assert one.sides(code)[HOA_BINH].bindings["receiver"] == BINH_DINH
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    one.do("hb.vanthu", code, "number_letter")
    assert "register_letter" in one.open_tasks(code)


def test_letter_addressed_before_the_merger_is_received_and_answered(
    one: OneNode, merged: Directory
) -> None:
    code = start(one)
    sender = one.sides(code)[HOA_BINH]
    # As it stood while the addressee was still in office.
    dossiers.update(sender.id, bindings={**sender.bindings, "receiver": MERGED})
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    one.do("hb.vanthu", code, "number_letter")
    letter = outbox.of_dossier(sender.id)[0].message
    assert (letter.partner, letter.state) == (MERGED, MessageState.SENT)
    one.answer_letter(code)
    assert "register_reply" in one.open_tasks(code)


def test_merged_agencies_that_name_each_other_lead_nowhere(merged: Directory) -> None:
    one_agency, other = AgencyCode("000.00.00.H61"), AgencyCode("000.00.00.H62")
    past = next(agency for agency in merged.agencies if agency.code == MERGED)
    circle = replace(
        merged,
        agencies=(
            replace(past, code=one_agency, successor=other),
            replace(past, code=other, successor=one_agency),
        ),
    )
    assert circle.successor_of(one_agency, at=merged.valid_until) is None
