"""The document axis: calls are signed as deployed systems do it, and nothing is taken on faith."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.edxml.axis import AxisClient, AxisEntry, AxisStatus, MessageType
from connectors.edxml.axis_auth import (
    AxisIdentity,
    axis_timestamp,
    body_digest,
    check_headers,
    is_body_digest,
    parse_timestamp,
    sign_headers,
)
from connectors.errors import AxisRefused, AxisSignatureRefused, PartnerAnswerRefused
from connectors.http import HttpClient, only_hosts
from dossier.clock import SystemClock
from tests.builders.axis import IDENTITY, MockAxis, mock_axis

_AT = datetime(2022, 4, 20, 2, 3, 4, 56_000, tzinfo=UTC)


@pytest.fixture
def axis() -> Iterator[MockAxis]:
    with mock_axis() as running:
        yield running


def _client(axis: MockAxis, identity: AxisIdentity = IDENTITY, *, pads: bool = True) -> AxisClient:
    return AxisClient(
        address=f"http://127.0.0.1:{axis.port}/",
        identity=identity,
        http=HttpClient(may_call=only_hosts("127.0.0.1")),
        clock=SystemClock(),
        pads_digest=pads,
    )


@pytest.mark.parametrize("pads", [True, False])
def test_a_file_is_sent_listed_fetched_and_reported(axis: MockAxis, pads: bool) -> None:
    client = _client(axis, pads=pads)
    doc_id = client.send(b"<edXML/>", from_organ="A", to_organs=["B", "C"], kind=MessageType.LETTER)
    entry = AxisEntry(doc_id=doc_id, from_organ="A", to_organ="B", status="inbox")
    assert client.received(MessageType.LETTER) == (entry,)
    assert client.fetch(doc_id) == b"<edXML/>"
    client.report(doc_id, AxisStatus.PROCESSING)
    assert client.received(MessageType.LETTER) == (entry,)  # at least once, until it is done
    client.report(doc_id, AxisStatus.DONE)
    assert client.received(MessageType.LETTER) == ()
    assert client.agencies()[0].name == "Hòa Bình"


def test_another_secret_is_refused(axis: MockAxis) -> None:
    stranger = replace(IDENTITY, secret=b"another")
    with pytest.raises(AxisRefused) as refused:
        _client(axis, stranger).agencies()
    assert refused.value.parameters["axis_code"] == "401"


@pytest.mark.parametrize(
    "answer",
    [
        (502, b"<html>"),
        (302, b""),
        (200, b"not json"),
        (200, b"[]"),
        (200, b"[" * 100_000),
        (200, b'{"status":"OK","data":"x"}'),
        (200, b'{"status":"OK","data":["x"]}'),
    ],
)
def test_an_answer_that_is_none_means_call_again(axis: MockAxis, answer: tuple[int, bytes]) -> None:
    axis.answer = answer
    with pytest.raises(PartnerAnswerRefused):
        _client(axis).agencies()


def test_a_file_that_is_not_base64_is_no_answer(axis: MockAxis) -> None:
    axis.answer = (200, b'{"status":"OK","ErrorCode":"0","data":"!!"}')
    with pytest.raises(PartnerAnswerRefused):
        _client(axis).fetch("x")


def test_headers_are_signed_as_deployed_systems_check_them() -> None:
    headers = sign_headers(IDENTITY, {"docId": "7"}, content_type="application/json", at=_AT)
    signed = headers["XroadVnpt-sign-header"]
    assert json.loads(signed) == {
        "XroadVnpt-systemid": IDENTITY.system_id,
        "XroadVnpt-timestamp": "20042022T090304+0056",
        "XroadVnpt-Content-Type": "application/json",
        "XroadVnpt-docId": "7",
    }
    assert " " not in signed
    assert headers["XroadVnpt-sign-header-key"] == "systemid;timestamp;Content-Type;docId"
    mac = hmac.new(IDENTITY.secret, signed.encode(), hashlib.sha256).hexdigest()
    assert headers["XroadVnpt-hash-header"] == mac
    assert headers["Content-Type"] == headers["XroadVnpt-Content-Type"]


def _sent(**changes: str) -> dict[str, str]:
    headers = sign_headers(IDENTITY, {"docId": "7"}, content_type="a/b", at=_AT)
    return {**{name.lower(): value for name, value in headers.items()}, **changes}


def test_signed_headers_are_believed_as_far_as_they_were_sent() -> None:
    found = check_headers(IDENTITY, _sent(), at=_AT, max_age=timedelta(minutes=1))
    assert found["docid"] == "7"
    late = _AT + timedelta(minutes=2)
    for headers, at in (
        (_sent(), late),
        (_sent(**{"xroadvnpt-docid": "8"}), _AT),
        (_sent(**{"xroadvnpt-hash-header": "00"}), _AT),
        (_sent(**{"xroadvnpt-sign-header": "{}"}), _AT),
        ({}, _AT),
    ):
        with pytest.raises(AxisSignatureRefused):
            check_headers(IDENTITY, headers, at=at, max_age=timedelta(minutes=1))


@pytest.mark.parametrize("signed", ["[]", "{", "{}", '{"a":1}', '{"x":"1"}', "[" * 9_000, "null"])
def test_a_secret_does_not_excuse_bad_json(signed: str) -> None:
    mac = hmac.new(IDENTITY.secret, signed.encode(), hashlib.sha256).hexdigest()
    headers = {"xroadvnpt-sign-header": signed, "xroadvnpt-hash-header": mac}
    with pytest.raises(AxisSignatureRefused):
        check_headers(IDENTITY, headers, at=_AT, max_age=timedelta(minutes=1))


def test_timestamps_go_both_ways() -> None:
    assert parse_timestamp(axis_timestamp(_AT)) == _AT
    for wrong in ("", "20042022T090304", "99999999T999999+0000", "20042022T090304+x"):
        with pytest.raises(AxisSignatureRefused):
            parse_timestamp(wrong)


def test_digests_are_known_with_and_without_padding() -> None:
    content = next(
        c for c in (bytes([n]) for n in range(256)) if "0" in body_digest(c, padded=True)[::2]
    )
    padded, bare = (body_digest(content, padded=pads) for pads in (True, False))
    assert len(bare) < len(padded) == 64
    assert is_body_digest(padded.upper(), content)
    assert is_body_digest(bare, content)
    assert not is_body_digest(padded[:-1] + "x", content)
