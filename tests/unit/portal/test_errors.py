"""Each family of errors has one HTTP answer."""

from __future__ import annotations

import pytest

from dossier.errors import Conflict, Denied, LienThongError, Misconfigured, Rejected, Unavailable
from dossier.rule_errors import FormRefused
from exchange import errors as of_exchange
from portal.errors import status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Rejected("x"), 400),
        (FormRefused("x", faults=()), 400),
        (of_exchange.DocumentTooLarge("x", limit=1), 413),
        (of_exchange.ContainerTooLarge("x", limit=1), 413),
        (of_exchange.DossierUnknown("x", code="y"), 404),
        (of_exchange.DocumentUnknown("x"), 404),
        (Denied("x"), 403),
        (of_exchange.LoginThrottled("x", minutes=15), 403),
        (Conflict("x"), 409),
        (of_exchange.TaskTaken("x", holder="y"), 409),
        (Unavailable("x"), 503),
        (Misconfigured("x"), 500),
        (LienThongError("x"), 500),
    ],
)
def test_family_and_code_decide_the_status(error: LienThongError, status: int) -> None:
    assert status_of(error) == status
