"""What a node logs while it works: nothing that belongs to a person or a dossier."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from dossier.errors import LienThongError
from exchange import accounts, export, logs
from tests.builders.exchange import OneNode


def test_a_whole_dossier_leaves_no_personal_value_in_the_log(one: OneNode) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.level
    logs.configure(replace(one.node.settings, log_level="DEBUG", log_format="json"), stream=stream)
    logging.getLogger("exchange").debug("begun")
    try:
        code = one.send_letter()
        one.clock.forward(timedelta(seconds=1))
        one.answer_letter(code)
        one.close_letter(code)
        with pytest.raises(LienThongError):
            accounts.log_in(
                one.node, username="nguyen.bi.mat", password="wrong one", address="203.0.113.9"
            )
    finally:
        root.removeHandler(root.handlers[-1])
        root.setLevel(before)
    said = stream.getvalue()
    assert "begun" in said
    held = export.find(one.node, code)
    for value in (code, "nguyen.bi.mat", "203.0.113.9", "wrong one"):
        assert value not in said
    assert held.subject not in said
