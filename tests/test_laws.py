"""The house laws hold in every file, and each law catches a sample that breaks it."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

from scripts import laws, tree

BREACHES = [
    (laws.broad_excepts, "signing/x.py", "try:\n    f()\nexcept Exception:\n    0\n"),
    (laws.broad_excepts, "signing/x.py", "try:\n    f()\nexcept:\n    0\n"),
    (laws.broad_excepts, "signing/x.py", "try:\n    f()\nexcept (ValueError, Exception):\n    0\n"),
    (laws.run_time_code, "workflows/x.py", "eval('1')\n"),
    (laws.run_time_code, "workflows/x.py", "exec('1')\n"),
    (laws.strayed_uses, "exchange/submit.py", "import os\nos.environ['A']\n"),
    (laws.strayed_uses, "exchange/submit.py", "from os import environ\n"),
    (laws.strayed_uses, "exchange/settings.py", "import requests\n"),
    (laws.strayed_uses, "connectors/x.py", "from lxml import etree as e\ne.fromstring(b'')\n"),
    (laws.strayed_uses, "portal/x.py", "from django.db.models import Q\n"),
    (laws.strayed_uses, "dossier/x.py", "from datetime import datetime\ndatetime.now()\n"),
    (laws.strayed_uses, "dossier/x.py", "import pickle\n"),
    (laws.thawed_dataclasses, "dossier/x.py", "@dataclass\nclass A:\n    a: int\n"),
    (laws.thawed_dataclasses, "dossier/x.py", "@dataclass(frozen=True)\nclass A:\n    a: int\n"),
    (laws.thawed_dataclasses, "dossier/x.py", "@dataclass(slots=True)\nclass A:\n    a: int\n"),
    (laws.unfinished_work, "dossier/x.py", "# TODO later\n"),
    (laws.unexplained_opt_outs, "dossier/x.py", "f()  # noqa\n"),
    (laws.unexplained_opt_outs, "dossier/x.py", "f()  # noqa: S101\n"),
    (laws.unexplained_opt_outs, "dossier/x.py", "f()  # type: ignore[misc]\n"),
    (laws.tests_that_do_not_test, "tests/x.py", "pytest.skip('no')\n"),
    (laws.tests_that_do_not_test, "tests/x.py", "assert True\n"),
]

KEPT = [
    (laws.broad_excepts, "lienthong/main.py", "try:\n    f()\nexcept Exception:\n    0\n"),
    (laws.broad_excepts, "x.py", "try:\n    f()\nexcept BaseException:\n    g()\n    raise\n"),
    (laws.strayed_uses, "exchange/settings.py", "import os\nos.environ['A']\n"),
    (laws.strayed_uses, "storage/models/x.py", "from django.db import models\n"),
    (laws.strayed_uses, "signing/x.py", "from lxml import etree\netree.tostring(root)\n"),
    (laws.strayed_uses, "dossier/x.py", "import re\nre.compile('x')\n"),
    (laws.strayed_uses, "dossier/x.py", "import pickle  # noqa: TID251 - reads a foreign file\n"),
    (laws.thawed_dataclasses, "dossier/x.py", "@dataclass(frozen=True, slots=True)\nclass A: ..."),
    (laws.thawed_dataclasses, "x.py", "@dataclass(slots=True)\nclass A:\n    'A mutable room.'"),
    (laws.unexplained_opt_outs, "dossier/x.py", "f()  # noqa: S101 - the type is known\n"),
    (laws.unexplained_opt_outs, "dossier/x.py", "f()  # type: ignore[misc]  # no stubs\n"),
]


@pytest.mark.parametrize(("law", "path", "text"), BREACHES)
def test_law_catches_its_breach(law: laws.Law, path: str, text: str) -> None:
    assert list(law(laws.Source.parse(path, text)))


@pytest.mark.parametrize(("law", "path", "text"), KEPT)
def test_law_lets_the_right_thing_pass(law: laws.Law, path: str, text: str) -> None:
    assert not list(law(laws.Source.parse(path, text)))


@pytest.mark.parametrize("law", laws.PRODUCT_LAWS, ids=lambda law: law.__name__)
def test_product_keeps_law(law: laws.Law) -> None:
    assert _breaches(law, list(tree.product_files())) == []


@pytest.mark.parametrize("law", laws.TEST_LAWS, ids=lambda law: law.__name__)
def test_tests_keep_law(law: laws.Law) -> None:
    paths = [path for path in tree.python_files() if tree.name(path).startswith("tests/")]
    assert _breaches(law, paths) == []


def test_every_sentence_exists_in_both_languages_with_the_same_parameters() -> None:
    texts = tree.ROOT / "dossier" / "texts"
    spoken = {
        language: {path.name: _sentences(path) for path in (texts / language).glob("*.toml")}
        for language in ("vi", "en")
    }
    assert spoken["vi"] == spoken["en"]


def _breaches(law: laws.Law, paths: list[Path]) -> list[str]:
    return [
        breach
        for path in paths
        for breach in law(laws.Source.parse(tree.name(path), path.read_text()))
    ]


def _sentences(path: Path) -> dict[str, frozenset[str]]:
    """Return the parameters of every sentence, by kind and code."""
    tables = tomllib.loads(path.read_text())
    return {
        f"{kind}.{code}": frozenset(
            re.split(r"[.\[]", field)[0]
            for _, field, _, _ in string.Formatter().parse(sentence)
            if field is not None
        )
        for kind, sentences in tables.items()
        for code, sentence in sentences.items()
    }
