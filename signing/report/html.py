"""Reports as one HTML page that stands alone: no script, no image, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from dossier.report import Answer, Report, ReportBlock, ReportPage, ReportRow, ReportSection
from dossier.texts import Language
from signing.report.page import report_page
from signing.report.words import label, printable

_STYLE: Final = """
body{font:1rem/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#111}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1rem;margin-bottom:.25rem}
h1,h3,td{overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}
th{width:14rem;font-weight:600}
.verdict{border-left:.4rem solid;padding:.5rem 1rem;font-weight:600}
.passed{color:#14532d}.indeterminate{color:#713f12}.failed{color:#7f1d1d}
article+article{border-top:3px solid #111;margin-top:3rem;padding-top:1rem}
@media print{body{margin:0}h3{break-after:avoid}}
"""
# Nothing of the page may run or be fetched, whatever a signer wrote into a certificate.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def report_html(reports: Sequence[Report], *, language: Language) -> str:
    """Return the reports as one page, one article for each."""
    pages = [report_page(one, language=language) for one in reports]
    title = pages[0].title if len(pages) == 1 else label("title_many", language, count=len(pages))
    return "\n".join(_document(pages, title, language))


def _document(pages: Sequence[ReportPage], title: str, language: Language) -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="{language.value}">'
    yield '<head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_text(title)}</title>"
    yield f"<style>{_STYLE}</style></head>"
    yield "<body><main>"
    for page in pages:
        yield from _article(page, language)
    yield "</main></body></html>"


def _article(page: ReportPage, language: Language) -> Iterator[str]:
    yield "<article>"
    yield f"<h1>{_text(page.title)}</h1>"
    yield (
        f'<p class="verdict {_class(page.answer)}">{_text(page.verdict)} '
        f"({page.answer.value})<br>{_text(page.sentence)}</p>"
    )
    for code, sentences in (("why", page.reasons), ("notices", page.notices)):
        if sentences:
            yield f"<h2>{_text(label(code, language))}</h2>"
            yield from _list(sentences)
    yield from _table(page.rows)
    for section in page.sections:
        yield from _section(section)
    yield "</article>"


def _section(section: ReportSection) -> Iterator[str]:
    yield f"<section><h2>{_text(section.title)}</h2>"
    for block in section.blocks:
        yield from _block(block)
    yield "</section>"


def _block(block: ReportBlock) -> Iterator[str]:
    yield f"<h3>{_text(block.title)}</h3>"
    if block.answer is not None:
        yield f'<p class="{_class(block.answer)}">{_text(block.verdict)} ({block.answer.value})</p>'
    yield from _list(block.reasons)
    yield from _table(block.rows)


def _table(rows: Sequence[ReportRow]) -> Iterator[str]:
    yield "<table>"
    for row in rows:
        colour = f' class="{_class(row.answer)}"' if row.answer else ""
        yield (
            f'<tr><th scope="row">{_text(row.label)}</th><td{colour}>{_text(row.value)}</td></tr>'
        )
    yield "</table>"


def _list(sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield "<ul>"
        yield from (f"<li>{_text(one)}</li>" for one in sentences)
        yield "</ul>"


def _class(answer: Answer) -> str:
    return answer.name.lower()


def _text(text: str) -> str:
    return escape(printable(text))
