"""Reports on judgements: as types, as a page in Vietnamese or English, as text, HTML, JSON, XML.

report = report_of(judgement, name="dossier.asice", given=given, at=now)
report_text(report, language=Language.VI)
dump_report(report)
"""

from signing.report.dump import dump_report
from signing.report.etsi import report_etsi
from signing.report.html import report_html
from signing.report.make import report_of
from signing.report.page import report_page
from signing.report.text import report_text
from signing.report.words import verdict_words

__all__ = [
    "dump_report",
    "report_etsi",
    "report_html",
    "report_of",
    "report_page",
    "report_text",
    "verdict_words",
]
