"""A procedure against a directory: roles that nobody fills, messages that nobody may send."""

from __future__ import annotations

from datetime import UTC, datetime

from dossier.directory import AccessRule, Directory, DirectoryAgency
from dossier.ids import AgencyCode
from tests.builders.procedures import folder, shipped
from workflows.staffing import staff

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
P6 = "p6_household_business"
ALL = AccessRule(client="*", server="*", procedure="household-business", message_type="*")


def agency(code: str, *competences: str, until: datetime | None = None) -> DirectoryAgency:
    """Return an agency of the one territory."""
    return DirectoryAgency(
        code=AgencyCode(code),
        aliases=(),
        name_vi=code,
        name_en=code,
        kind="commune",
        territory="52",
        competences=competences,
        valid_from=AT.replace(year=2020),
        valid_until=until,
        successor=None,
        endpoint="https://node.example/soap",
        channels=(),
        seals=(),
    )


def found(*agencies: DirectoryAgency, rules: tuple[AccessRule, ...] = (ALL,)) -> list[str]:
    """Return rule and element of what P6 lacks in a directory of these agencies."""
    directory = Directory(
        number=1,
        authority="Thử",
        valid_from=AT,
        valid_until=AT.replace(year=2030),
        grace_days=0,
        previous_sha256="",
        agencies=agencies,
        rules=rules,
    )
    declaration = folder(P6)["procedure.toml"]
    remarks = staff(shipped(P6), directory, declaration=declaration, at=AT)
    lines = declaration.decode().splitlines()
    for one in remarks:
        assert one.file == "procedure.toml"
        assert lines[one.line - 1] == f"[{one.element}]"
    return [f"{one.rule} {one.element}" for one in remarks]


def test_a_directory_that_fills_every_role_lacks_nothing() -> None:
    assert found(agency("H08.1", "commune"), agency("G12.1", "tax")) == []


def test_a_role_that_no_agency_fills_is_named() -> None:
    assert found(agency("G12.1", "tax")) == ["role_unfilled roles.commune"]
    assert found(agency("H08.1", "commune")) == ["role_unfilled roles.tax"]


def test_an_agency_out_of_office_fills_no_role() -> None:
    gone = agency("G12.1", "tax", until=AT)
    assert found(agency("H08.1", "commune"), gone) == ["role_unfilled roles.tax"]


def test_a_role_that_two_agencies_of_a_territory_fill_is_named() -> None:
    partners = (agency("G12.1", "tax"), agency("G12.2", "tax"))
    assert found(agency("H08.1", "commune"), *partners) == ["role_filled_twice roles.tax"]


def test_many_agencies_may_open_the_same_procedure() -> None:
    openers = (agency("H08.1", "commune"), agency("H08.2", "commune"))
    assert found(*openers, agency("G12.1", "tax")) == []


def test_a_message_that_no_rule_allows_is_named() -> None:
    one_way = AccessRule(
        client="H08.1", server="G12.1", procedure="household-business", message_type="*"
    )
    both = (agency("H08.1", "commune"), agency("G12.1", "tax"))
    (lacking,) = found(*both, rules=(one_way,))
    assert lacking.startswith("message_not_allowed messages.")
    assert len(found(*both, rules=())) == 2
