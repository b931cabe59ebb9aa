"""A decision is shown with its dossier as a table whose matched row is marked by a word."""

from __future__ import annotations

from tests.builders.decisions import publish_with_decision
from tests.builders.exchange import OneNode
from tests.integration.portal.conftest import Enter


def test_matched_row_is_marked(one: OneNode, enter: Enter) -> None:
    publish_with_decision(one, first="100000")
    code = one.start_business()
    one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101567890"})
    dossier = one.sides(code)["000.31.01.H08"]
    page = enter("tp.kinhte").get(f"/dossiers/{dossier.id}")
    assert page.status == 200
    text = page.body.decode()
    assert 'data-decision="fee"' in text
    assert text.count('<tr class="matched">') == 1
    assert "khớp" in text
    assert "100000" in text
    assert "200000" in text


def test_dossier_without_decisions_has_no_such_section(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    dossier = one.sides(code)["000.00.00.H28"]
    page = enter("hb.chuyenvien").get(f"/dossiers/{dossier.id}")
    assert b'id="decisions"' not in page.body
