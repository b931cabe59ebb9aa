"""A client may ask so often a minute, and is told when to come again."""

from __future__ import annotations

import pytest

from exchange.rates import Rates
from exchange.service_errors import RequestsTooMany


def test_a_client_over_its_limit_is_told_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [30.0]
    monkeypatch.setattr("exchange.rates.time.monotonic", lambda: now[0])
    counted = Rates(most=2)
    for client in ("a", "a", "b"):
        counted.count(client)
    with pytest.raises(RequestsTooMany) as refused:
        counted.count("a")
    assert refused.value.parameters == {"seconds": 30}
    now[0] = 60.0
    counted.count("a")
