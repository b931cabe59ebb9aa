"""Hostile XML against the running endpoint: interchange.md §12, groups A to E, row by row."""

from __future__ import annotations

import base64
import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.connectors import CONTAINER, SOAP11, SOAP12, hints_for, send_xml
from tests.integration.soap.conftest import Endpoint, Reply

_HINTS = hints_for(CONTAINER, number=201)
_SOUND = send_xml(_HINTS, base64.b64encode(CONTAINER).decode())
_SECRET = "root:x:0"


@pytest.fixture(autouse=True)
def _cheap_and_clean(endpoint: Endpoint) -> Iterator[None]:
    """Hostile input within the size cap costs no seconds and leaves nothing in the spool."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 3
    assert endpoint.spooled() == []


def _fault(reply: Reply, code: str, *, status: int = 500) -> None:
    assert (reply.code, reply.status) == (code, status), reply.body[:500]
    assert _SECRET.encode() not in reply.body


def _with_doctype(doctype: str, reference: str = "") -> bytes:
    head, _, rest = _SOUND.partition(b"?>")
    return head + b"?>" + doctype.encode() + rest.replace(b"<From>", f"<From>{reference}".encode())


_LAUGHS = "".join(
    f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "ha"}{("&l" + str(n - 1) + ";") * 9}">'
    if n
    else '<!ENTITY l0 "ha">'
    for n in range(10)
)
_OUTSIDE = "http://127.0.0.1:9/x"


@pytest.mark.parametrize(
    ("doctype", "reference"),
    [
        pytest.param('<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;", id="1-file"),
        pytest.param(f'<!DOCTYPE s [<!ENTITY x SYSTEM "{_OUTSIDE}">]>', "&x;", id="1-http"),
        pytest.param(
            f'<!DOCTYPE s [<!ENTITY % o SYSTEM "{_OUTSIDE}"> %o;]>', "", id="1-out-of-band"
        ),
        pytest.param(
            "<!DOCTYPE s [<!ENTITY % p \"<!ENTITY x 'y'>\"> %p;]>", "&x;", id="2-parameter"
        ),
        pytest.param(f'<!DOCTYPE s SYSTEM "{_OUTSIDE}">', "", id="2-external-subset"),
        pytest.param("<!DOCTYPE s>", "", id="3-doctype-alone"),
        pytest.param('<!DOCTYPE s [<!ENTITY x "000.00.00.H28">]>', "&x;", id="3-internal-entity"),
        pytest.param(f"<!DOCTYPE s [{_LAUGHS}]>", "&l9;", id="4-billion-laughs"),
        pytest.param(
            f'<!DOCTYPE s [<!ENTITY x "{"A" * 50_000}">]>', "&x;" * 5_000, id="4-quadratic"
        ),
    ],
)
def test_doctype_and_entities_are_refused(endpoint: Endpoint, doctype: str, reference: str) -> None:
    _fault(endpoint.post(_with_doctype(doctype, reference)), "xml_refused")


def test_row_4_entities_in_attributes_are_refused(endpoint: Endpoint) -> None:
    body = _with_doctype(f"<!DOCTYPE s [{_LAUGHS}]>").replace(b"<From>", b'<From a="&l9;">')
    _fault(endpoint.post(body), "xml_refused")


def test_row_5_xinclude_is_an_unknown_element(endpoint: Endpoint) -> None:
    included = (
        b'<From><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" '
        b'href="file:///etc/passwd" parse="text"/></From>'
    )
    body = _SOUND.replace(b"<From>000.00.00.H28</From>", included)
    _fault(endpoint.post(body), "schema_refused")


@pytest.mark.parametrize("location", ["file:///etc/passwd", _OUTSIDE])
def test_row_6_schema_locations_are_not_fetched(endpoint: Endpoint, location: str) -> None:
    hints = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    named = f'xsi:schemaLocation="urn:lienthong:service:1 {location}"'.encode()
    bare = f'xsi:noNamespaceSchemaLocation="{location}"'.encode()
    for attribute in (named, bare):
        body = _SOUND.replace(b"<SendMessage ", b"<SendMessage" + hints.encode() + attribute + b" ")
        assert endpoint.post(body).status == 200


def test_row_7_depth_is_capped(endpoint: Endpoint) -> None:
    deep = "<a>" * 60 + "</a>" * 60
    _fault(
        endpoint.post(send_xml(_HINTS, "", header=f"<s:Header>{deep}</s:Header>")), "xml_refused"
    )
    deeper = "<a>" * 3_000 + "</a>" * 3_000
    _fault(endpoint.post(send_xml(_HINTS, deeper)), "xml_refused")


def test_row_8_breadth_is_capped(endpoint: Endpoint) -> None:
    wide = "<a/>" * 1_000_000
    _fault(
        endpoint.post(send_xml(_HINTS, "", header=f"<s:Header>{wide}</s:Header>")), "xml_refused"
    )


@pytest.mark.parametrize("shape", ["{}", "<![CDATA[{}]]>", '<a b="{}"/>'])
def test_row_9_content_too_large_for_text_names_mtom(endpoint: Endpoint, shape: str) -> None:
    reply = endpoint.post(
        send_xml(_HINTS, shape.format("A" * 10_000_000)), **{"Accept-Language": "en"}
    )
    _fault(reply, "inline_too_large", status=500)
    assert b"MTOM" in reply.body


def test_row_10_attribute_and_name_floods_are_refused(endpoint: Endpoint) -> None:
    attributes = " ".join(f'a{n}=""' for n in range(200_000))
    _fault(endpoint.post(_SOUND.replace(b"<From>", f"<From {attributes}>".encode())), "xml_refused")
    names = "".join(f"<n{n}/>" for n in range(300_000))
    _fault(endpoint.post(send_xml(_HINTS, names)), "xml_refused")


def test_row_11_gzip_bytes_are_not_expanded(endpoint: Endpoint) -> None:
    _fault(endpoint.post(gzip.compress(_SOUND)), "xml_refused")


@pytest.mark.parametrize(("count", "where"), [(33, "one"), (3_000, "one"), (100, "many")])
def test_row_16_namespace_declarations_are_capped(
    endpoint: Endpoint, count: int, where: str
) -> None:
    if where == "one":
        declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(count))
        header = f"<s:Header><a {declared}/></s:Header>"
    else:
        blocks = "".join(f'<a xmlns:n{n}="urn:{n}"/>' for n in range(count))
        header = f"<s:Header>{blocks}</s:Header>"
    _fault(endpoint.post(send_xml(_HINTS, "", header=header)), "xml_refused")


def test_rows_13_to_15_inclusive_canonicalisation_is_never_reached(endpoint: Endpoint) -> None:
    # The document that costs 137 s to canonicalise: 3,000 namespaces on the root, 3,000 children.
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(3_000))
    children = "<a/>" * 3_000
    header = f"<s:Header><b {declared}>{children}</b></s:Header>"
    _fault(endpoint.post(send_xml(_HINTS, "", header=header)), "xml_refused")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            _SOUND.replace(b"UTF-8", b"UTF-7").replace(b"<From>", b"+ADw-From+AD4-"), id="17-utf-7"
        ),
        pytest.param(_SOUND.replace(b"UTF-8", b"ISO-8859-1"), id="18-declared-latin-1"),
        pytest.param(_SOUND.decode().encode("utf-16"), id="17-utf-16"),
        pytest.param(_SOUND.decode().encode("cp500"), id="19-ebcdic"),
        pytest.param(_SOUND.replace(b"<From>", b"<From>\xff"), id="18-not-utf-8"),
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="text"),
    ],
)
def test_rows_17_to_19_other_encodings_are_refused(endpoint: Endpoint, body: bytes) -> None:
    _fault(endpoint.post(body), "xml_refused")


_WIDE = _SOUND.decode().replace("UTF-8", "UTF-16")


@pytest.mark.parametrize("content_type", ["text/xml", 'text/xml; charset="UTF-16"'])
def test_row_17_utf_16_with_its_mark_is_accepted(endpoint: Endpoint, content_type: str) -> None:
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        reply = endpoint.post(mark + _WIDE.encode(codec), content_type=content_type)
        assert reply.status == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(_WIDE.encode("utf-16-le"), "text/xml; charset=utf-16", id="no-mark"),
        pytest.param(_SOUND, "text/xml; charset=utf-16", id="utf-8-as-utf-16"),
        pytest.param(_WIDE.encode("utf-16"), "text/xml; charset=utf-8", id="utf-16-as-utf-8"),
        pytest.param(_SOUND.decode().encode("utf-16"), "text/xml", id="declared-utf-8"),
        pytest.param(b"\xff\xfe\x00\xd8", "text/xml", id="half-a-pair"),
    ],
)
def test_row_18_charset_mark_and_declaration_agree(
    endpoint: Endpoint, body: bytes, content_type: str
) -> None:
    _fault(endpoint.post(body, content_type=content_type), "xml_refused")


def test_row_18_a_foreign_charset_in_http_is_refused(endpoint: Endpoint) -> None:
    reply = endpoint.post(_SOUND, content_type="text/xml; charset=iso-8859-1")
    _fault(reply, "media_type_refused", status=415)


def test_row_20_a_byte_order_mark_is_accepted(endpoint: Endpoint) -> None:
    assert endpoint.post(b"\xef\xbb\xbf" + _SOUND).status == 200


@pytest.mark.parametrize("split", [b"<!--x-->", b"<?x y?>"])
def test_row_21_comments_and_instructions_are_refused(endpoint: Endpoint, split: bytes) -> None:
    inside = _SOUND.replace(b"<From>000.", b"<From>000." + split)
    behind = _SOUND + split
    for body in (inside, behind):
        _fault(endpoint.post(body), "xml_refused")


_BODY = _SOUND.partition(b"<s:Body>")[2].partition(b"</s:Body>")[0]


def _envelope(inside: bytes, *, soap: str = SOAP11) -> bytes:
    return f'<s:Envelope xmlns:s="{soap}">'.encode() + inside + b"</s:Envelope>"


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(
            b"<s:Body>" + _BODY + b"</s:Body><s:Body>" + _BODY + b"</s:Body>", id="bodies"
        ),
        pytest.param(b"<s:Header/><s:Header/><s:Body>" + _BODY + b"</s:Body>", id="headers"),
        pytest.param(b"<s:Body>" + _BODY + b"</s:Body><s:Header/>", id="body-not-last"),
        pytest.param(b"<s:Body>" + _BODY + b"</s:Body><x/>", id="trailer"),
        pytest.param(b"<s:Body>" + _BODY + _BODY + b"</s:Body>", id="two-children"),
        pytest.param(b"<s:Body/>", id="empty-body"),
        pytest.param(b"<s:Body> text " + _BODY + b"</s:Body>", id="text"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_row_22_envelopes_of_another_shape_are_refused(endpoint: Endpoint, inside: bytes) -> None:
    _fault(endpoint.post(_envelope(inside)), "soap_refused")


@pytest.mark.parametrize(
    ("soap", "content_type"),
    [
        (SOAP11, "application/soap+xml"),
        (SOAP12, "text/xml"),
        ("urn:other", "text/xml"),
    ],
)
def test_row_23_the_version_must_fit_the_content_type(
    endpoint: Endpoint, soap: str, content_type: str
) -> None:
    reply = endpoint.post(
        _envelope(b"<s:Body>" + _BODY + b"</s:Body>", soap=soap), content_type=content_type
    )
    _fault(reply, "soap_version_mismatch")
    assert b"soap:VersionMismatch" in reply.body


@pytest.mark.parametrize("content_type", ["application/json", "text/html", "nonsense", ""])
def test_row_23_other_types_are_refused(endpoint: Endpoint, content_type: str) -> None:
    _fault(endpoint.post(_SOUND, content_type=content_type), "media_type_refused", status=415)


def test_row_24_a_contradicting_soap_action_is_a_fault(endpoint: Endpoint) -> None:
    right = "urn:lienthong:service:1/SendMessage"
    for action in ('""', "", f'"{right}"', right):
        assert endpoint.post(_SOUND, SOAPAction=action).status == 200
    _fault(endpoint.post(_SOUND, SOAPAction=f'"{right}2"'), "soap_action_mismatch")
    soap12 = send_xml(_HINTS, base64.b64encode(CONTAINER).decode(), soap=SOAP12)
    reply = endpoint.post(soap12, content_type='application/soap+xml; action="urn:other"')
    _fault(reply, "soap_action_mismatch", status=500)


@pytest.mark.parametrize("flag", ["1", "true"])
def test_row_25_headers_that_must_be_understood_are_refused(endpoint: Endpoint, flag: str) -> None:
    block = f'<s:Header><w xmlns="urn:w" s:mustUnderstand="{flag}"/></s:Header>'
    reply = endpoint.post(send_xml(_HINTS, "", header=block))
    _fault(reply, "soap_header_not_understood")
    assert b"soap:MustUnderstand" in reply.body


def test_row_25_other_headers_are_ignored(endpoint: Endpoint) -> None:
    block = (
        '<s:Header><a xmlns="urn:w" s:mustUnderstand="0"/>'
        '<b xmlns="urn:w" s:actor="urn:somebody-else" s:mustUnderstand="1"/></s:Header>'
    )
    content = base64.b64encode(CONTAINER).decode()
    assert endpoint.post(send_xml(_HINTS, content, header=block)).status == 200


def test_row_26_unknown_operations_are_refused(endpoint: Endpoint) -> None:
    for child in (b"<DropTables/>", b'<SendMessage xmlns="urn:other"/>', b"<SendMessageResponse/>"):
        _fault(endpoint.post(_envelope(b"<s:Body>" + child + b"</s:Body>")), "operation_unknown")


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [
        (b"<From>000.00.00.H28</From>", b"", b"To"),
        (b"<From>000.00.00.H28</From>", b"<From>bad code!</From>", b"From"),
        (b"<Size>", b"<Size>-", b"Size"),
        (b"<Size>", b"<Extra/><Size>", b"Extra"),
        (b"<Container>", b'<Container a="b">', b"Container"),
    ],
)
def test_the_schema_decides_and_names_the_element(
    endpoint: Endpoint, old: bytes, new: bytes, element: bytes
) -> None:
    reply = endpoint.post(_SOUND.replace(old, new), **{"Accept-Language": "en-GB, vi;q=0.5"})
    _fault(reply, "schema_refused")
    assert b"element " + element in reply.body


def test_base64_is_decoded_strictly_within_its_bounds(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=202)
    content = base64.b64encode(CONTAINER).decode()
    for broken in (content[:-1], content + "!", "A"):
        _fault(endpoint.post(send_xml(hints, broken)), "schema_refused")
    spaced = "\n".join(content[i : i + 4] for i in range(0, len(content), 4)) + " " * 2_000_000
    assert endpoint.post(send_xml(hints, spaced)).status == 200


def test_the_package_never_reads_a_path_given_by_a_caller() -> None:
    # Row 11, second half: `parse(path)` would expand gzip; the law lives in dossier.safexml.
    sources = Path(__file__).parents[3].joinpath("connectors").rglob("*.py")
    assert [p for p in sources if "etree.parse(" in p.read_text()] == []
