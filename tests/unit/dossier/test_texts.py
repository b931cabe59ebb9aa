"""Every code that people may see has a sentence in both languages."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import string
import tomllib
from collections import Counter
from datetime import UTC, date, datetime
from importlib import resources

import pytest

from dossier import texts
from dossier.errors import LienThongError, Rejected
from dossier.rule_errors import AllowanceRefused, TextMissing
from dossier.texts import Language, render, render_error, render_stored

PACKAGES = ("dossier", "signing", "workflows", "connectors", "storage", "printing", "exchange")


def _leaves(family: type[LienThongError]) -> list[type[LienThongError]]:
    found = [family]
    for leaf in family.__subclasses__():
        found += _leaves(leaf)
    return found


def _error_modules() -> list[str]:
    names = []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.submodule_search_locations is None:
            continue
        for module in pkgutil.iter_modules(spec.submodule_search_locations):
            if module.name == "errors" or module.name.endswith("_errors"):
                names.append(f"{package}.{module.name}")
    return names


def _tables(lang: Language) -> dict[tuple[str, str, str], str]:
    folder = resources.files("dossier").joinpath("texts", lang.value)
    return {
        (entry.name, kind, code): sentence
        for entry in folder.iterdir()
        for kind, table in tomllib.loads(entry.read_text(encoding="utf-8")).items()
        for code, sentence in table.items()
    }


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("lang", list(Language))
def test_every_error_code_has_a_sentence(lang: Language) -> None:
    for name in _error_modules():
        importlib.import_module(name)
    ours = {
        leaf.code for leaf in _leaves(LienThongError) if leaf.__module__.split(".")[0] in PACKAGES
    }
    assert ours - texts.known_codes("error", lang) == set()


def test_error_codes_are_unique() -> None:
    for name in _error_modules():
        importlib.import_module(name)
    codes = [
        leaf.code for leaf in _leaves(LienThongError) if leaf.__module__.split(".")[0] in PACKAGES
    ]
    assert [code for code, count in Counter(codes).items() if count > 1] == []


def test_both_languages_have_the_same_keys() -> None:
    assert _tables(Language.VI).keys() == _tables(Language.EN).keys()


@pytest.mark.parametrize("lang", list(Language))
def test_no_text_is_written_twice(lang: Language) -> None:
    written = [(kind, code) for _, kind, code in _tables(lang)]
    assert [key for key, count in Counter(written).items() if count > 1] == []


def test_both_languages_use_the_same_placeholders() -> None:
    english = _tables(Language.EN)
    different = [
        key
        for key, sentence in _tables(Language.VI).items()
        if _placeholders(sentence) != _placeholders(english[key])
    ]
    assert different == []


def test_texts_are_normalised_and_not_empty() -> None:
    for lang in Language:
        for key, sentence in _tables(lang).items():
            assert sentence.strip() == sentence != "", key


def test_missing_text_names_kind_and_code() -> None:
    with pytest.raises(TextMissing, match=r"error\.nowhere"):
        render("error", "nowhere", Language.VI)


def test_missing_parameter_is_named() -> None:
    with pytest.raises(TextMissing, match="reason"):
        render("error", "xml_refused", Language.EN)


def test_parameters_are_never_read_as_templates() -> None:
    said = render("error", "allowance_refused", Language.EN, text="{reason} {0}")
    assert said == "“{reason} {0}” is not a time allowance."


def test_dates_are_spelled_in_the_language() -> None:
    assert texts.spell(date(2026, 11, 23), Language.VI) == "23/11/2026"
    assert texts.spell(date(2026, 11, 23), Language.EN) == "23 November 2026"
    instant = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
    assert texts.spell(instant, Language.VI) == "01:30 24/11/2026"


def test_an_error_comes_with_sentence_and_hint() -> None:
    sentence, hint = render_error(AllowanceRefused("expected…", text="3 days"), Language.EN)
    assert sentence == "“3 days” is not a time allowance."
    assert hint is not None and hint.startswith("Write for example 3wd")


def test_an_error_without_its_parameters_still_speaks() -> None:
    assert render_error(AllowanceRefused("expected…"), Language.VI)[0] == (
        "“…” không phải là một thời hạn."
    )


def test_a_stored_code_always_speaks() -> None:
    said = render_stored("error", "xml_refused", Language.EN, {"line": 3})
    assert said == "The XML was refused (…)."
    assert render_stored("error", "long_gone", Language.EN, {}) == "long_gone"


def test_an_unknown_code_speaks_as_its_family() -> None:
    class Unheard(Rejected):
        """A leaf without texts."""

        code = "unheard"

    error = Unheard("expected a, got b", hint="do c")
    assert render_error(error, Language.EN) == ("This cannot be accepted as it stands.", "do c")
