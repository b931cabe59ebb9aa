"""WS-Security: rows 27 to 33 and 42 of the list, by HTTP against the whole server."""

from __future__ import annotations

import base64
import copy
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

import pytest
import requests
from lxml import etree

from connectors.incoming import SignedCalls
from connectors.soap_envelope import parse_envelope
from connectors.soap_server import SoapServer
from connectors.wssecurity import DS, EXCLUSIVE, SECURITY, WSSE, WSU, Algorithm, sign_message
from dossier import safexml
from dossier.clock import VirtualClock
from dossier.wire import WireRequest
from tests.builders.call_keys import KnownCertificates, call_key
from tests.builders.connectors import (
    BINH_DINH,
    CONTAINER,
    HOA_BINH,
    SOAP11,
    DiskSpool,
    FakeReceiving,
    PartSpec,
    hints_for,
    include,
    mtom_type,
    multipart,
    root_part,
    send_xml,
)
from tests.builders.wire_server import served

_AT = datetime(2022, 4, 20, 2, 0, tzinfo=UTC)
_INLINE = base64.b64encode(CONTAINER).decode()
_RSA, _EC = call_key(Algorithm.RSA_SHA256, "H28"), call_key(Algorithm.ECDSA_SHA256, "H28")
_JUDGE = KnownCertificates(
    {
        _RSA.certificate: HOA_BINH,
        _EC.certificate: HOA_BINH,
        call_key(Algorithm.ECDSA_SHA256, "H08").certificate: BINH_DINH,
    }
)
_DS = {"ds": DS, "wsse": WSSE, "wsu": WSU, "s": SOAP11}


def _signed(
    *, key: str = "H28", kind: Algorithm = Algorithm.ECDSA_SHA256, at: datetime = _AT
) -> bytes:
    plain = parse_envelope(send_xml(hints_for(CONTAINER), _INLINE), expected=None)
    return sign_message(plain, signer=call_key(kind, key), at=at)


def _code(folder: Path, body: bytes, *, content_type: str = "text/xml") -> str:
    server = SoapServer(
        receiving=FakeReceiving(),
        spool=DiskSpool(folder),
        signed=SignedCalls(judge=_JUDGE, clock=VirtualClock(at=_AT)),
    )
    with served(server) as address:
        answer = requests.post(
            f"{address}/soap", data=body, headers={"Content-Type": content_type}, timeout=20
        )
    if b"<lt:Receipt>" in answer.content:
        return "accepted"
    return answer.content.partition(b"<lt:ErrorCode>")[2].partition(b"<")[0].decode()


@pytest.mark.parametrize("kind", list(Algorithm))
def test_a_signed_call_is_accepted(tmp_path: Path, kind: Algorithm) -> None:
    assert _code(tmp_path, _signed(kind=kind)) == "accepted"


def test_row_31_a_certificate_must_be_bound_to_the_sender(tmp_path: Path) -> None:
    assert _code(tmp_path, _signed(key="H08")) == "ws_security_refused"
    assert _code(tmp_path, _signed(key="stranger")) == "denied"


def test_row_33_the_timestamp_is_of_now(tmp_path: Path) -> None:
    for away in (timedelta(hours=1), timedelta(hours=-1)):
        assert _code(tmp_path, _signed(at=_AT + away)) == "ws_security_refused"


def test_row_42_signed_messages_have_no_parts(tmp_path: Path) -> None:
    # The signature covers the Include as it stands, so it verifies whatever the part holds.
    plain = parse_envelope(send_xml(hints_for(CONTAINER), include()), expected=None)
    xml = sign_message(plain, signer=_EC, at=_AT)
    body = multipart(root_part(xml), PartSpec(content=CONTAINER, content_id="c@x"))
    assert _code(tmp_path, body, content_type=mtom_type()) == "ws_security_refused"


def test_a_server_without_judge_does_not_understand_the_header(tmp_path: Path) -> None:
    server = SoapServer(receiving=FakeReceiving(), spool=DiskSpool(tmp_path))
    reply = server(
        WireRequest(
            method="POST",
            path="/soap",
            query="",
            headers={"content-type": "text/xml"},
            stream=cast(BinaryIO, io.BytesIO(_signed())),
            peer="test",
        )
    )
    assert b"soap_header_not_understood" in b"".join(reply.body)


Edit = Callable[[etree._Element], None]


def _edit(edit: Edit) -> bytes:
    root = safexml.parse(_signed())
    edit(root)
    return etree.tostring(root)


def _at(root: etree._Element, path: str) -> etree._Element:
    return root.findall(path, _DS)[0]


def _changed_body(root: etree._Element) -> None:
    _at(root, ".//s:Body")[0][1].text = "000.00.99.H08"


def _wrapped_in_header(root: etree._Element) -> None:
    body = _at(root, "s:Body")
    evil = copy.deepcopy(body)
    evil.attrib.clear()
    evil[0][1].text = "000.00.99.H08"
    root.replace(body, evil)
    wrapper = etree.SubElement(root[0], "Wrapper")
    wrapper.append(body)


def _wrapped_with_same_id(root: etree._Element) -> None:
    body = _at(root, "s:Body")
    evil = copy.deepcopy(body)
    evil[0][1].text = "000.00.99.H08"
    root.replace(body, evil)
    etree.SubElement(root[0], "Wrapper").append(body)


def _wrapped_in_object(root: etree._Element) -> None:
    body = _at(root, "s:Body")
    evil = copy.deepcopy(body)
    evil.attrib.clear()
    root.replace(body, evil)
    etree.SubElement(_at(root, ".//ds:Signature"), f"{{{DS}}}Object").append(body)


def _second_security(root: etree._Element) -> None:
    root[0].append(copy.deepcopy(_at(root, f".//{SECURITY}")))


def _second_signature(root: etree._Element) -> None:
    signature = _at(root, ".//ds:Signature")
    etree.SubElement(root[0], "Other").append(copy.deepcopy(signature))


def _id_confusion(root: etree._Element) -> None:
    body = _at(root, "s:Body")
    body.set("Id", body.get(f"{{{WSU}}}Id") or "")


def _without(path: str) -> Edit:
    def edit(root: etree._Element) -> None:
        node = _at(root, path)
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)

    return edit


def _attribute(path: str, name: str, value: str) -> Edit:
    return lambda root: _at(root, path).set(name, value)


def _retrieval(root: etree._Element) -> None:
    info = _at(root, ".//ds:KeyInfo")
    for child in list(info):
        info.remove(child)
    etree.SubElement(info, f"{{{DS}}}RetrievalMethod", URI="http://127.0.0.1:9/key")


def _prefix_list(root: etree._Element) -> None:
    transform = _at(root, ".//ds:Transform")
    listed = " ".join(f"p{n}" for n in range(17))
    etree.SubElement(transform, f"{{{EXCLUSIVE}}}InclusiveNamespaces", PrefixList=listed)


def _many_references(root: etree._Element) -> None:
    info = _at(root, ".//ds:SignedInfo")
    for _ in range(17):
        info.append(copy.deepcopy(info[-1]))


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(_changed_body, id="body-changed"),
        pytest.param(_wrapped_in_header, id="27-xsw-header"),
        pytest.param(_wrapped_with_same_id, id="27-xsw-duplicate-id"),
        pytest.param(_wrapped_in_object, id="27-xsw-object"),
        pytest.param(_second_security, id="27-sibling-security"),
        pytest.param(_second_signature, id="27-second-signature"),
        pytest.param(_id_confusion, id="27-id-confusion"),
        pytest.param(_attribute(".//ds:Reference", "URI", ""), id="28-whole-document"),
        pytest.param(
            _attribute(".//ds:Reference", "URI", "http://127.0.0.1:9/x"), id="28-external"
        ),
        pytest.param(
            _attribute(
                ".//ds:Transform", "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116"
            ),
            id="28-xslt",
        ),
        pytest.param(
            _attribute(
                ".//ds:Transform", "Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116"
            ),
            id="28-xpath",
        ),
        pytest.param(
            _attribute(".//ds:SignatureMethod", "Algorithm", f"{DS}rsa-sha1"), id="29-sha1"
        ),
        pytest.param(
            _attribute(".//ds:SignatureMethod", "Algorithm", f"{DS}hmac-sha1"), id="29-hmac"
        ),
        pytest.param(_attribute(".//ds:SignatureMethod", "Algorithm", ""), id="29-none"),
        pytest.param(_attribute(".//ds:DigestMethod", "Algorithm", f"{DS}sha1"), id="29-digest"),
        pytest.param(
            _attribute(
                ".//ds:CanonicalizationMethod",
                "Algorithm",
                "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
            ),
            id="29-inclusive-c14n",
        ),
        pytest.param(_prefix_list, id="15-prefix-list"),
        pytest.param(_many_references, id="many-references"),
        pytest.param(_retrieval, id="30-retrieval-method"),
        pytest.param(_attribute(".//wsse:Reference", "URI", "http://127.0.0.1:9/k"), id="30-url"),
        pytest.param(_without(".//ds:Reference[1]"), id="32-timestamp-not-covered"),
        pytest.param(_without(".//ds:Reference[2]"), id="32-body-not-covered"),
        pytest.param(_without(".//wsu:Timestamp"), id="33-no-timestamp"),
        pytest.param(_without(".//ds:Signature"), id="no-signature"),
        pytest.param(_without(".//ds:KeyInfo"), id="no-key"),
        pytest.param(_without(".//wsse:BinarySecurityToken"), id="no-token"),
    ],
)
def test_rows_27_to_33(tmp_path: Path, edit: Edit) -> None:
    assert _code(tmp_path, _edit(edit)) == "ws_security_refused"
    assert list(tmp_path.iterdir()) == []


def test_row_29_the_algorithm_must_fit_the_key(tmp_path: Path) -> None:
    swapped = _attribute(".//ds:SignatureMethod", "Algorithm", Algorithm.RSA_SHA256.value)
    assert _code(tmp_path, _edit(swapped)) == "denied"


def test_a_signature_value_of_another_message_is_refused(tmp_path: Path) -> None:
    value = re.search(rb"<ds:SignatureValue>[^<]+", _signed(at=_AT + timedelta(seconds=1)))
    assert value is not None
    body = re.sub(rb"<ds:SignatureValue>[^<]+", value.group(), _signed())
    assert _code(tmp_path, body) == "denied"


def test_unsigned_calls_go_on_as_before(tmp_path: Path) -> None:
    assert _code(tmp_path, send_xml(hints_for(CONTAINER), _INLINE)) == "accepted"
