"""A call filled into its form is the call that zeep writes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors import soap_calls
from connectors.soap_calls import write_call

PLAIN = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z .:_-]{0,40}", fullmatch=True)


@given(
    agency=PLAIN | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    size=st.integers(0, 2**32 - 1),
    container=st.binary(max_size=40),
)
def test_send_message(agency: str, size: int, container: bytes) -> None:
    values: dict[str, Any] = {
        "From": agency,
        "To": "000.00.00.H08",
        "MessageId": "abcdef012345",
        "ContainerSha256": "a" * 64,
        "Size": size,
        "Container": container,
    }
    assert write_call("SendMessage", **values) == soap_calls._written("SendMessage", (), values)


@given(receipt=st.binary(max_size=40))
def test_a_call_of_two_files(receipt: bytes) -> None:
    values: dict[str, Any] = {"Request": b"request", "Receipt": receipt}
    assert write_call("ConfirmMessage", **values) == soap_calls._written(
        "ConfirmMessage", (), values
    )
