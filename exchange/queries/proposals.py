"""What people read of proposed and published versions of procedures and rule packs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from dossier.model import Actor
from dossier.texts import Language
from exchange import access, proposals, rules
from exchange.node import Node
from exchange.packs import pack_changes
from exchange.procedures.compare import compare_files, comparison_lines
from exchange.procedures.lint import Problem, lint_files, lint_staffing
from exchange.proposals import Proposal, ProposalKind, ProposalState
from storage import definitions
from storage import proposals as rows
from workflows.diagram import draw_svg
from workflows.package import DECLARATION, load_procedure


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionLine:
    """One published version of a procedure, or one rule pack."""

    code: str
    name: Mapping[str, str]
    version: str
    effective: date
    published_by: str
    confirmed_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProposalPage:
    """A proposal with what the second person needs to judge it."""

    proposal: Proposal
    name: Mapping[str, str]
    running: str  # the version in effect that it is compared with; empty: none
    changes: tuple[str, ...]
    notes: tuple[Problem, ...]
    diagram_svg: str
    may_confirm: bool
    may_refuse: bool


def proposed(node: Node, actor: Actor) -> list[Proposal]:
    """Return the proposals that the person may decide on or see; raise `NotAllowed` for none."""
    now = node.now()
    access.demand(allowed=access.is_publisher(actor, at=now), what="see proposals")
    return [
        one
        for one in proposals.listed()
        if access.may_publish(actor, procedure=_scope(one), at=now)
    ]


def published(node: Node) -> list[VersionLine]:
    """Return the published versions of all procedures, then the rule packs."""
    found = [
        VersionLine(
            code=head.procedure,
            name=node.contracts().get(head.package_sha256).name,
            version=head.version,
            effective=head.effective_from,
            published_by=head.published_by,
            confirmed_by=head.confirmed_by,
        )
        for head in definitions.list_definitions()
    ]
    return found + [
        VersionLine(
            code=rules.NAME,
            name={
                "vi": node.rules().get(one.version).name.vi,
                "en": node.rules().get(one.version).name.en,
            },
            version=one.version,
            effective=one.effective,
            published_by=one.published_by,
            confirmed_by=one.confirmed_by,
        )
        for one in rules.known_packs()
    ]


def proposal_page(node: Node, actor: Actor, proposal: UUID) -> ProposalPage:
    """Return what the page shows; raise `NotAllowed` or `ProposalUnknown`."""
    found = proposals.get(actor, proposal, at=node.now())
    files = rows.files(proposal)
    language = Language(actor.language)
    is_open = found.state is ProposalState.OPEN
    by_another = actor.username != found.proposed_by
    if found.kind is ProposalKind.RULE_PACK:
        running = node.rules().effective(found.effective_from).version
        pack = rules.parse(files)
        return ProposalPage(
            proposal=found,
            name={"vi": pack.name.vi, "en": pack.name.en},
            running=running,
            changes=tuple(pack_changes(rules.files_of(running), files, language=language)),
            notes=(),
            diagram_svg="",
            may_confirm=is_open and by_another,
            may_refuse=is_open,
        )
    procedure = load_procedure(files)
    running_head = definitions.effective(procedure.code, procedure.effective)
    before = definitions.find(running_head.package_sha256) if running_head else None
    lines = (
        tuple(comparison_lines(compare_files(before.files, files), language=language))
        if before
        else ()
    )
    return ProposalPage(
        proposal=found,
        name=procedure.name,
        running=running_head.version if running_head else "",
        changes=lines,
        notes=(
            *lint_files(files, language=language).problems,
            *lacking(node, files, language=language),
        ),
        diagram_svg=draw_svg(
            procedure.source,
            title=procedure.name[actor.language],
            description=f"{procedure.code} {procedure.version}",
            labels={
                element: procedure.element_name(element)[actor.language]
                for element in procedure.labels
            },
        ),
        may_confirm=is_open and by_another,
        may_refuse=is_open,
    )


def lacking(node: Node, files: Mapping[str, bytes], *, language: Language) -> tuple[Problem, ...]:
    """Return what the directory in force lacks for a procedure; nothing for a rule pack."""
    if DECLARATION not in files:
        return ()
    return lint_staffing(files, directory=node.directory(), at=node.now(), language=language)


def _scope(proposal: Proposal) -> str:
    return proposal.name if proposal.kind is ProposalKind.PROCEDURE else ""
