"""Transforms of other tools: what leaves signatures out, base64, chains; all else is refused."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from lxml import etree

from signing.indication import Indication, SubIndication
from signing.judgement import Judgement
from signing.references import detached_names
from signing.unsigned import DS
from signing.verify import judge_xml
from tests.builders.foreign import ENVELOPED, EXCLUSIVE, INCLUSIVE, reference, signed, template
from tests.builders.signing import NOW, pki

BASE64 = "http://www.w3.org/2000/09/xmldsig#base64"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
FILTER = "http://www.w3.org/2002/06/xmldsig-filter2"
BODY = '<a:x xmlns:a="urn:a" a="1">Hòa Bình</a:x>'
OWN = (
    "count(ancestor-or-self::ds:Signature | here()/ancestor::ds:Signature[1]) "
    "> count(ancestor-or-self::ds:Signature)"
)


def xpath(expression: str) -> str:
    escaped = expression.replace(">", "&gt;")
    return f'<ds:Transform Algorithm="{XPATH}"><ds:XPath>{escaped}</ds:XPath></ds:Transform>'


def subtracted(expression: str, kind: str = "subtract") -> str:
    return (
        f'<ds:Transform Algorithm="{FILTER}"><f:XPath xmlns:f="{FILTER}" Filter="{kind}">'
        f"{expression}</f:XPath></ds:Transform>"
    )


def judge(content: bytes, **files: bytes) -> Judgement:
    return judge_xml(content, trust=pki().trust(), at=NOW, files=files)


def told(judgement: Judgement) -> list[object]:
    return [(one.code, one.parameters) for sig in judgement.signatures for one in sig.reasons]


@pytest.mark.parametrize(
    "step",
    [
        xpath("not(ancestor-or-self::ds:Signature)"),
        xpath("\n not( ancestor-or-self::ds:Signature )\n"),
        subtracted("/descendant::ds:Signature"),
        subtracted("//ds:Signature"),
        subtracted("/*/ds:Signature"),
        subtracted("here()/ancestor::ds:Signature[1]"),
    ],
)
def test_xpath_that_leaves_signatures_out_is_known_by_its_text(step: str, tmp_path: Path) -> None:
    inner = template(reference("", step, EXCLUSIVE))
    content = signed(f'<r xmlns="urn:r">{BODY}{inner}</r>', tmp_path)

    judgement = judge(content)

    assert judgement.is_passed, told(judgement)
    changed = judge(content.replace(b'a="1"', b'a="2"'))
    assert changed.sub_indication is SubIndication.HASH_FAILURE


@pytest.mark.parametrize(
    "step",
    [
        xpath("not(ancestor-or-self::ds:Signature) and false()"),
        xpath("self::text()"),
        xpath("not(ancestor-or-self::a:Signature)"),
        subtracted("/descendant::ds:Signature", "intersect"),
        subtracted("/descendant::*"),
        f'<ds:Transform Algorithm="{XPATH}"/>',
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>',
    ],
)
def test_every_other_expression_is_refused_by_name(step: str) -> None:
    digest = "<ds:DigestValue>AA==</ds:DigestValue>"
    inner = template(reference("", step)).replace("<ds:DigestValue/>", digest)
    content = f'<r xmlns="urn:r" xmlns:a="urn:a">{inner}</r>'.encode()

    judgement = judge(content)

    assert judgement.sub_indication is SubIndication.FORMAT_FAILURE
    assert "signature_unsupported" in str(told(judgement))


def test_the_spelling_of_the_recommendation_leaves_its_own_signature_out(tmp_path: Path) -> None:
    inner = template(reference("", ENVELOPED))
    content = signed(f"<r>{BODY}{inner}</r>", tmp_path)
    step = f'<ds:Transform Algorithm="{ENVELOPED}"/>'
    assert step.encode() in content

    judgement = judge(content.replace(step.encode(), xpath(OWN).encode()))

    # The digest of the data still holds; what is signed says otherwise, so only the value fails.
    assert judgement.sub_indication is SubIndication.SIG_CRYPTO_FAILURE, told(judgement)


def test_enveloped_signature_on_a_part_by_its_id(tmp_path: Path) -> None:
    inner = template(reference("#d", ENVELOPED, EXCLUSIVE))
    inside = signed(f'<data Id="d">{BODY}{inner}</data>', tmp_path)
    beside = signed(f'<r><data Id="d">{BODY}</data><seals>{inner}</seals></r>', tmp_path)

    assert judge(inside).is_passed, told(judge(inside))
    assert judge(beside).is_passed, told(judge(beside))
    moved = inside.replace(b"<a:x", b"<b/><a:x")
    assert judge(moved).sub_indication is SubIndication.HASH_FAILURE


def test_base64_of_an_object_signs_what_it_decodes_to(tmp_path: Path) -> None:
    text = base64.encodebytes("Quyết định".encode() * 9).decode()
    made = template(reference("#o", BASE64), objects=f'<ds:Object Id="o">{text}</ds:Object>')
    content = signed(made, tmp_path)

    judgement = judge(content)

    assert judgement.is_passed, told(judgement)
    digest = base64.b64encode(hashlib.sha256("Quyết định".encode() * 9).digest())
    assert digest in content
    for changed in (text.replace("U", "V", 1), text + "!", f"<b>{text}</b>"):
        found = judge(content.replace(text.encode(), changed.encode()))
        assert found.indication is Indication.TOTAL_FAILED


def test_chain_of_transforms_is_followed_to_its_end(tmp_path: Path) -> None:
    inner = template(reference("", ENVELOPED, INCLUSIVE, EXCLUSIVE))
    content = signed(f'<r xmlns:u="urn:u">{BODY}{inner}</r>', tmp_path)

    assert judge(content).is_passed, told(judge(content))
    late = content.replace(
        f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'.encode(),
        f'<ds:Transform Algorithm="{ENVELOPED}"/>'.encode(),
    )
    assert judge(late).sub_indication is SubIndication.FORMAT_FAILURE


def test_prefixes_of_one_namespace_are_kept_apart(tmp_path: Path) -> None:
    inner = template(reference("", ENVELOPED, EXCLUSIVE))
    text = f'<r xmlns:p="urn:p" xmlns:q="urn:p" q:b="1" p:a="2"><s q:c="3"/>{inner}</r>'
    content = signed(text, tmp_path)

    assert judge(content).is_passed, told(judge(content))


def plain(text: str) -> str:
    """Return a template without what makes it XAdES."""
    start, end = text.index("<ds:Object><xades:"), text.rindex("</ds:Object>")
    bare = text[:start] + text[end + len("</ds:Object>") :]
    return re.sub(r'<ds:Reference URI="#xades-props".*?</ds:Reference>', "", bare)


def test_plain_xml_signature_passes_with_a_remark_and_no_level(tmp_path: Path) -> None:
    content = signed(f"<r>{BODY}{plain(template(reference('', ENVELOPED)))}</r>", tmp_path)

    judgement = judge(content)

    assert judgement.is_passed, told(judgement)
    signature = judgement.signatures[0]
    assert signature.level is None
    assert "certificate_not_signed" in str(told(judgement))
    other = base64.encodebytes(pki().issuing.certificate)
    start, end = (content.index(mark) for mark in (b"<ds:X509Cert", b"</ds:X509Cert"))
    first = b"<ds:X509Certificate>" + other + b"</ds:X509Certificate>"
    more = content[:start] + first + content[start:]
    assert judge(more).signatures[0].signer == signature.signer
    opening = content.index(b">", start) + 1
    swapped = judge(content[:opening] + other + content[end:])
    assert swapped.sub_indication is SubIndication.SIG_CRYPTO_FAILURE


def test_plain_xml_signature_without_a_certificate_says_that_nobody_is_named(
    tmp_path: Path,
) -> None:
    content = signed(f"<r>{BODY}{plain(template(reference('', ENVELOPED)))}</r>", tmp_path)
    bare = re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", content, flags=re.DOTALL)

    judgement = judge(bare)

    assert judgement.sub_indication is SubIndication.NO_SIGNING_CERTIFICATE_FOUND
    assert "certificate_absent" in str(told(judgement))
    assert DS.encode() in bare


def test_reference_without_a_uri_is_to_the_one_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF letter")
    content = signed(template(reference("letter.pdf")), tmp_path)
    bare = content.replace(b' URI="letter.pdf"', b"")

    # The value no longer holds, but what is missing and what is there is told first.
    assert judge(bare).signatures[0].covers == ()
    assert "file_missing" in str(told(judge(bare)))
    assert "file_missing" not in str(told(judge(bare, **{"letter.pdf": b"%PDF letter"})))
    assert detached_names(bare, unnamed="letter.pdf") == ("letter.pdf",)


def test_document_in_latin_1_is_read(tmp_path: Path) -> None:
    inner = template(reference("", ENVELOPED, EXCLUSIVE))
    content = signed(f"<r><a>B\u00e9</a>{inner}</r>", tmp_path)
    body = content[content.index(b"?>") + 2 :] if content.startswith(b"<?xml") else content
    text = etree.tostring(etree.fromstring(body), encoding="unicode")
    latin = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + text.encode("latin-1")

    assert judge(latin).is_passed, told(judge(latin))
    other = latin.replace(b"ISO-8859-1", b"ISO-8859-2")
    assert judge(other).sub_indication is SubIndication.FORMAT_FAILURE


def invoice(folder: Path, time: str) -> bytes:
    stated = f'<ds:Object Id="t"><SignatureProperties><SigningTime>{time}</SigningTime>'
    made = plain(template(reference("#d", ENVELOPED), reference("#t")))
    stated += "</SignatureProperties></ds:Object></ds:Signature>"
    made = made.replace("</ds:Signature>", stated)
    return signed(f'<HDon><data Id="d">{BODY}</data><NBan>{made}</NBan></HDon>', folder)


def test_signing_time_of_an_invoice_is_legal_time(tmp_path: Path) -> None:
    judgement = judge(invoice(tmp_path, "2022-04-12T09:30:00"))

    assert judgement.is_passed, told(judgement)
    assert judgement.signatures[0].claimed_time == NOW
    assert judge(invoice(tmp_path, "hôm qua")).signatures[0].claimed_time is None
