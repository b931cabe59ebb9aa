"""A decision of a process is taken while stepping, used, and explained with the dossier."""

from __future__ import annotations

from exchange.queries.dossier_page import dossier_page
from storage import cases, incidents
from tests.builders.decisions import publish_with_decision
from tests.builders.exchange import OneNode

COMMUNE = "000.31.01.H08"


def test_decision_is_used_and_explained(one: OneNode) -> None:
    publish_with_decision(one, first="100000")
    code = one.start_business()
    one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101567890"})
    dossier = one.sides(code)[COMMUNE]
    assert cases.values(dossier.id)["fee_vnd"] == 100000
    page = dossier_page(one.node, one.actor("tp.kinhte"), dossier.id)
    (decision,) = page.decisions
    assert decision.name == "fee"
    assert decision.inputs == {"business_lines": '"Bán lẻ"'}
    assert decision.output == "100000"
    assert [row.is_matched for row in decision.tables[0].rows] == [True, False]
    assert "check_certificate" in one.open_tasks(code)


def test_decision_that_cannot_be_taken_is_an_incident_of_its_step(one: OneNode) -> None:
    publish_with_decision(one, first="1/0 + nonsense(")
    code = one.start_business()
    one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101567890"})
    found = incidents.of_dossier(one.sides(code)[COMMUNE].id)
    assert [one_.element_id for one_ in found] == ["write_certificate"]
    assert "check_certificate" not in one.open_tasks(code)
