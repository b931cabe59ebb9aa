"""Judge a file that anyone drops on the verify page, against what this node trusts."""

from __future__ import annotations

from dossier.report import ReportPage
from dossier.texts import Language
from exchange.node import Node
from exchange.verify import judge_bytes, page_of
from signing.evidence import TrustGiven
from storage import directory as editions


def judge_upload(node: Node, content: bytes, *, name: str, language: Language) -> ReportPage:
    """Return what a verification found, in words; never raises for what the file holds.

    Anchors and directory are the node's own; nothing of the file is kept.
    """
    trust, edition = node.trust(), editions.current()
    given = TrustGiven(
        anchors=tuple(trust.anchors),
        certificates=tuple(trust.certificates),
        crls=tuple(trust.crls),
        directory=edition.content if edition else None,
    )
    return page_of(judge_bytes(content, name=name, given=given, at=node.now()), language=language)
