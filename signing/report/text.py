"""A report page as plain text, for the terminal and for printing."""

from __future__ import annotations

from collections.abc import Iterator

from dossier.report import Report, ReportBlock, ReportPage, ReportSection
from dossier.texts import Language
from signing.report.page import report_page
from signing.report.words import label, printable


def report_text(report: Report, *, language: Language) -> str:
    """Return the report as lines of text: the verdict, why, and every part."""
    page = report_page(report, language=language)
    return "\n".join(_lines(page, language))


def _lines(page: ReportPage, language: Language) -> Iterator[str]:
    yield page.title
    yield f"{page.verdict.upper()} ({page.answer.value})"
    yield page.sentence
    for code, sentences in (("why", page.reasons), ("notices", page.notices)):
        if sentences:
            yield ""
            yield f"{label(code, language)}:"
            yield from (f"  - {printable(one)}" for one in sentences)
    yield ""
    yield from (f"{row.label}: {printable(row.value)}" for row in page.rows)
    for section in page.sections:
        yield ""
        yield from _section(section)


def _section(section: ReportSection) -> Iterator[str]:
    yield section.title
    for block in section.blocks:
        yield from _plain(block) if block.answer is None else _judged(block)


def _judged(block: ReportBlock) -> Iterator[str]:
    answer = block.answer.value if block.answer else ""
    yield f"  {printable(block.title)} — {block.verdict} ({answer})"
    yield from (f"      {row.label}: {printable(row.value)}" for row in block.rows)
    yield from (f"    ! {printable(one)}" for one in block.reasons)


def _plain(block: ReportBlock) -> Iterator[str]:
    rows = "; ".join(f"{row.label}: {printable(row.value)}" for row in block.rows)
    yield f"  {printable(block.title)} — {rows}"
