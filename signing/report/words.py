"""The words of a report in one language; every sentence stands in dossier/texts."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dossier.report import Answer, ReportReason
from dossier.rule_errors import TextMissing
from dossier.texts import Language, Parameter, render

_ANSWER_CODES: Final = {
    Answer.PASSED: "TOTAL_PASSED",
    Answer.INDETERMINATE: "INDETERMINATE",
    Answer.FAILED: "TOTAL_FAILED",
}


def verdict_words(answer: Answer, language: Language) -> str:
    """Return Hợp lệ, Không hợp lệ or Chưa đủ căn cứ kết luận."""
    return render("indication", _ANSWER_CODES[answer], language)


def sub_words(sub_indication: str, language: Language) -> str:
    """Return the sentence of a sub-indication, empty for none."""
    return render("sub_indication", sub_indication, language) if sub_indication else ""


def label(code: str, language: Language, /, **parameters: Parameter) -> str:
    """Return a label or sentence of the report itself."""
    return render("report", code, language, **parameters)


def sentence(kind: str, reason: ReportReason, language: Language) -> str:
    """Return the sentence of a reason or notice, its part named even where the text does not.

    A code without text prints as itself: a report must reach its reader.
    """
    parameters = {name: _spelled(name, value) for name, value in reason.parameters.items()}
    try:
        text = render(kind, reason.code, language, **parameters)
    except TextMissing:
        return reason.code
    part = str(reason.parameters.get("name", ""))
    return text if part in text else f"{part}: {text}"


def printable(text: str) -> str:
    """Return text that cannot move a terminal's cursor: what signers wrote is theirs."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def _spelled(name: str, value: str | int) -> Parameter:
    """Return an instant, which travels as ISO 8601 text under the name `time`, as an instant."""
    if name != "time" or not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value
