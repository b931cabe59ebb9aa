"""Every text of the pages is translated, and the compiled catalogues say what the sources say."""

from __future__ import annotations

import ast
import gettext
import re
from importlib import resources
from pathlib import Path

import pytest

PORTAL = Path(str(resources.files("portal")))
TEMPLATES = sorted(PORTAL.glob("templates/**/*.html"))
_TRANSLATE = re.compile(r"""{%\s*translate\s+(?:"([^"]+)"|'([^']+)')""")
_BLOCK = re.compile(r"{%\s*blocktranslate[^%]*%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)
_PLURAL = re.compile(r"{%\s*plural\s*%}")
_VARIABLE = re.compile(r"{{\s*(\w+)\s*}}")


def catalogue(language: str) -> gettext.GNUTranslations:
    with (PORTAL / f"locale/{language}/LC_MESSAGES/django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def asked() -> set[str]:
    """Return the texts that templates and views ask for; of a plural the first form."""
    found = set()
    for path in TEMPLATES:
        text = path.read_text()
        found |= {double or single for double, single in _TRANSLATE.findall(text)}
        for block in _BLOCK.findall(text):
            found.add(_VARIABLE.sub(r"%(\1)s", _PLURAL.split(block)[0]))
    for path in PORTAL.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                first = node.args[0] if node.func.id == "_" else None
                if isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def sources(language: str) -> dict[str, str]:
    """Return the translations of the source; of plurals the last form."""
    text = (PORTAL / f"locale/{language}/LC_MESSAGES/django.po").read_text()
    found = {}
    for block in text.split("\n\n")[1:]:
        texts = {
            match[1]: ast.literal_eval(match[2])
            for match in re.finditer(r'^(msgid|msgstr(?:\[\d\])?) (".*")$', block, re.MULTILINE)
        }
        found[texts["msgid"]] = texts[max(texts)]
    return found


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_text_is_translated_and_no_translation_is_left_over(language: str) -> None:
    assert set(sources(language)) == asked()
    assert all(sources(language).values())


@pytest.mark.parametrize("language", ["vi", "en"])
def test_compiled_catalogue_says_what_its_source_says(language: str) -> None:
    compiled = catalogue(language)
    for text, translated in sources(language).items():
        assert translated in (compiled.gettext(text), compiled.ngettext(text, "", 2))


def test_vietnamese_keeps_every_variable() -> None:
    for text, translated in sources("vi").items():
        variables = re.compile(r"%\(\w+\)s")
        assert sorted(variables.findall(text)) == sorted(variables.findall(translated))
