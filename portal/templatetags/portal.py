"""What templates say: texts of the data, dates, sizes, sentences of codes, icons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from dossier.calendar import local_day
from dossier.canonical import Json
from dossier.model import Business
from dossier.repair import Effect
from dossier.shown import ShownValue
from dossier.texts import Bilingual, known_codes, render, render_stored, spell
from exchange.queries.notices import NoticeLine
from portal.assets import asset
from portal.controls import day_first, plain
from portal.language import current_language, said

register = template.Library()

_GROUPED: Final = 10_000  # from here on figures are written in groups; years are not
_UNITS: Final = ("B", "KB", "MB", "GB")


@register.filter(name="said")
def say(text: Bilingual | Mapping[str, str] | None) -> str:
    """Return a text that came with the data, in the language of the page."""
    return said(text)


@register.filter
def when(instant: datetime | None) -> str:
    """Return an instant as people write it, in Vietnamese time, or nothing."""
    return spell(instant.replace(second=0), current_language()) if instant else ""


@register.filter
def day(instant: datetime | None) -> str:
    """Return the local day of an instant as people write it."""
    return spell(local_day(instant), current_language()) if instant else ""


@register.filter
def exactly(instant: datetime) -> str:
    """Return an instant with its seconds."""
    return spell(instant.replace(microsecond=0), current_language())


@register.filter
def plainly(value: Json) -> str:
    """Return a case value as text, a date as people write it."""
    return day_first(plain(value))


@register.filter
def spoken(one: ShownValue) -> str:
    """Return what a value says: the label of a choice, yes or no, or the value as text."""
    if one.answer is not None:
        return said(one.answer)
    if isinstance(one.value, bool):
        return word("answer", "yes" if one.value else "no")
    if isinstance(one.value, int) and abs(one.value) >= _GROUPED:
        return f"{one.value:,}".replace(",", "." if current_language() == "vi" else ",")
    return plainly(one.value)


@register.filter
def stamp(instant: datetime | None) -> str:
    """Return an instant for the `datetime` attribute of `time`."""
    return instant.isoformat(timespec="seconds") if instant else ""


@register.filter
def size(count: int) -> str:
    """Return a size in the unit that keeps it short."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    text = f"{amount:.0f}" if unit == 0 or amount >= 100 else f"{amount:.1f}"
    return f"{text.replace('.', ',') if current_language() == 'vi' else text} {_UNITS[unit]}"


@register.filter
def status(business: Business) -> str:
    """Return the word of one of the ten statuses."""
    return render("status", business.name.lower(), current_language())


@register.filter
def named(code: str | UUID, names: Mapping[str, Mapping[str, str]]) -> str:
    """Return the name of a code in a table of names, or the code."""
    return said(names.get(str(code))) or str(code)


@register.simple_tag
def word(kind: str, code: str) -> str:
    """Return the word of a code, or the code where nobody has written one."""
    return render_stored(kind, code, current_language(), {})


@register.simple_tag
def told(notice: NoticeLine) -> str:
    """Return the sentence of a notice, people and outcomes in words."""
    language = current_language()
    spoken = dict(notice.parameters)
    for key in ("by", "agency"):
        if key in spoken:
            spoken[key] = said(notice.names.get(spoken[key])) or spoken[key]
    if "outcome" in spoken:
        spoken["outcome"] = render_stored("silence_outcome", spoken["outcome"], language, {})
    return render_stored("told", notice.kind, language, spoken)


@register.simple_tag
def trouble(code: str, parameters: Mapping[str, str] | None = None) -> str:
    """Return the sentence of an incident's code or of a message's last error."""
    language = current_language()
    kind = "incident" if code in known_codes("incident", language) else "error"
    return render_stored(kind, code, language, parameters or {})


@register.simple_tag
def effect_said(effect: Effect) -> str:
    """Return the sentence of one thing that a repair would change."""
    language = current_language()
    name = effect.name.get(language.value) or effect.element_id
    return render_stored("effect", effect.what, language, {"element": name})


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return an icon of the sprite; it says nothing that words beside it do not say."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static_url("icons.svg"),
        name,
    )


@register.simple_tag
def static_url(name: str) -> str:
    """Return the address of a file under its digest."""
    return f"/static/{name}?v={asset(name).digest}"


@register.filter
def drawing(svg: str) -> SafeString:
    """Return a diagram that `workflows.diagram` drew: its labels are escaped there, by lxml."""
    return mark_safe(svg)  # noqa: S308 - made by our own writer; the XSS corpus tests it
