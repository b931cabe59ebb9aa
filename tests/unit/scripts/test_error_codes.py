"""What the sources say about the errors, checked against what Python makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dossier import errors
from scripts import error_codes, tree


def test_reads_what_the_classes_are() -> None:
    read = {leaf.code: leaf for leaf in error_codes.leaves() if leaf.path == "dossier/errors.py"}
    assert read[errors.XmlRefused.code].family == "Rejected"
    assert read[errors.XmlRefused.code].means == (errors.XmlRefused.__doc__ or "").split("\n")[0]
    assert "rejected" not in read


def test_names_the_bearers_of_a_shared_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "signing" / "errors.py"
    path.parent.mkdir()
    path.write_text(
        'class A(Rejected):\n    """A."""\n    code = "same"\n'
        'class B(A):\n    """B."""\n    code = "same"\n'
    )
    monkeypatch.setattr(tree, "ROOT", tmp_path)
    monkeypatch.setattr(tree, "product_files", lambda: [path])
    assert list(error_codes.shared_codes()) == [
        "same is borne by signing/errors.py:A and signing/errors.py:B"
    ]
