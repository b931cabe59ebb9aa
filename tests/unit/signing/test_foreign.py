"""Signatures that other tools made: what xmlsec1 signs passes, what is changed or odd does not."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from dossier import safexml
from signing.c14n import Form, Method, canonical
from signing.errors import VerificationFailed
from signing.indication import Indication, SubIndication
from signing.judgement import Judgement, Level
from signing.proofs import digester
from signing.references import one
from signing.unsigned import DS
from signing.verify import judge_container, judge_xml, open_container, open_xml
from tests.builders.foreign import (
    ENVELOPED,
    EXCLUSIVE,
    INCLUSIVE,
    INCLUSIVE_11,
    SHA1,
    reference,
    signed,
    template,
)
from tests.builders.signing import NOW, pki

FORMS = [
    INCLUSIVE,
    INCLUSIVE_11,
    EXCLUSIVE,
    INCLUSIVE + "#WithComments",
    INCLUSIVE_11 + "#WithComments",
    EXCLUSIVE + "WithComments",
]
BODY = '<a:x xmlns:a="urn:a" b="2" a="1">Hòa Bình &amp; <!-- lời chú -->Bình Định</a:x>'


def judge(content: bytes, **files: bytes) -> Judgement:
    return judge_xml(content, trust=pki().trust(), at=NOW, files=files)


def codes(judgement: Judgement) -> set[str]:
    reasons = [*judgement.reasons]
    for signature in judgement.signatures:
        reasons += signature.reasons
    return {reason.code for reason in reasons}


def enveloped(form: str, folder: Path) -> bytes:
    inner = template(reference("", ENVELOPED, form), form=form)
    return signed(f'<r xmlns="urn:r" xml:lang="vi" xmlns:u="urn:unused">{BODY}{inner}</r>', folder)


@pytest.mark.parametrize("form", FORMS)
def test_enveloped_signature_passes_with_every_canonicalisation(form: str, tmp_path: Path) -> None:
    judgement = judge(enveloped(form, tmp_path))

    assert judgement.indication is Indication.TOTAL_PASSED, codes(judgement)
    signature = judgement.signatures[0]
    assert signature.level is Level.B_B
    assert signature.claimed_time == NOW
    assert judgement.files[0].covered_by == (signature.id,)


@pytest.mark.parametrize("form", FORMS)
def test_changed_content_of_an_enveloped_signature_fails(form: str, tmp_path: Path) -> None:
    content = enveloped(form, tmp_path)
    changed = content.replace(b'b="2"', b'b="3"')
    assert changed != content

    assert judge(changed).sub_indication is SubIndication.HASH_FAILURE


@pytest.mark.parametrize("form", [INCLUSIVE, EXCLUSIVE])
def test_enveloping_signature_passes(form: str, tmp_path: Path) -> None:
    objects = f'<ds:Object Id="o">{BODY}</ds:Object>'
    content = signed(template(reference("#o", form), form=form, objects=objects), tmp_path)

    assert judge(content).is_passed, codes(judge(content))


def test_subtree_inherits_xml_attributes_in_inclusive_form(tmp_path: Path) -> None:
    inner = template(reference("#d", INCLUSIVE))
    text = (
        f'<r xmlns="urn:r" xml:lang="vi" xml:space="preserve"><data Id="d">{BODY}</data>{inner}</r>'
    )

    content = signed(text, tmp_path)

    assert judge(content).is_passed, codes(judge(content))


def test_prefix_list_is_honoured(tmp_path: Path) -> None:
    step = (
        f'<ds:Transform Algorithm="{EXCLUSIVE}"><ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" '
        'PrefixList="u #default"/></ds:Transform>'
    )
    inner = template(reference("#d", step), form=EXCLUSIVE)
    text = f'<r xmlns="urn:r" xmlns:u="urn:u"><data Id="d"><v:w xmlns:v="urn:v"/></data>{inner}</r>'

    content = signed(text, tmp_path)

    assert judge(content).is_passed, codes(judge(content))


def test_detached_file_is_found_by_its_name_only(tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF letter")
    content = signed(template(reference("letter.pdf")), tmp_path)

    assert judge(content, **{"letter.pdf": b"%PDF letter"}).is_passed
    changed = judge(content, **{"letter.pdf": b"%PDF other"})
    assert changed.sub_indication is SubIndication.HASH_FAILURE
    assert judge(content).sub_indication is SubIndication.SIGNED_DATA_NOT_FOUND
    extra = judge(content, **{"letter.pdf": b"%PDF letter", "other.txt": b""})
    assert "file_not_covered" in codes(extra)


def container(tmp_path: Path, **more: bytes) -> bytes:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF letter")
    document = signed(template(reference("letter.pdf")), tmp_path)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.etsi.asic-e+zip", zipfile.ZIP_STORED)
        archive.writestr("letter.pdf", b"%PDF letter")
        archive.writestr("META-INF/signatures0.xml", document)
        for name, content in more.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_container_of_another_tool_passes(tmp_path: Path) -> None:
    judgement = judge_container(container(tmp_path), trust=pki().trust(), at=NOW)

    assert judgement.is_passed, codes(judgement)
    assert judgement.files[0].covered_by == ("META-INF/signatures0.xml",)


def test_container_of_another_tool_is_judged_but_not_opened(tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed):
        open_container(container(tmp_path), trust=pki().trust(), at=NOW)


def test_document_of_another_tool_is_judged_but_not_opened(tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed):
        open_xml(
            enveloped(EXCLUSIVE, tmp_path),
            trust=pki().trust(),
            at=NOW,
            purposes=frozenset(),
        )


def test_uncovered_file_fails_a_container(tmp_path: Path) -> None:
    content = container(tmp_path, **{"extra.txt": b"x"})

    judgement = judge_container(content, trust=pki().trust(), at=NOW)

    assert judgement.indication is Indication.TOTAL_FAILED
    assert "file_not_covered" in codes(judgement)


def test_unreadable_cades_beside_xades_fails(tmp_path: Path) -> None:
    content = container(tmp_path, **{"META-INF/signature001.p7s": b"0"})

    judgement = judge_container(content, trust=pki().trust(), at=NOW)

    assert judgement.sub_indication is SubIndication.FORMAT_FAILURE
    assert "signature_unsupported" in codes(judgement)


def test_old_form_of_the_signing_certificate_passes(tmp_path: Path) -> None:
    inner = template(reference("", ENVELOPED, EXCLUSIVE), form=EXCLUSIVE, old_certificate=True)

    assert judge(signed(f"<r>{BODY}{inner}</r>", tmp_path)).is_passed


def test_sha1_digest_is_weak(tmp_path: Path) -> None:
    inner = template(reference("", ENVELOPED, EXCLUSIVE, digest=SHA1), form=EXCLUSIVE)

    judgement = judge(signed(f"<r>{BODY}{inner}</r>", tmp_path))

    assert judgement.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE


def test_moved_node_does_not_pass(tmp_path: Path) -> None:
    inner = template(reference("#d", EXCLUSIVE), form=EXCLUSIVE)
    sound = signed(f'<r><data Id="d">{BODY}</data>{inner}</r>', tmp_path)
    assert judge(sound).is_passed

    forged = sound.replace(b"<r>", b"<r><data>forged</data><wrap>").replace(b"</r>", b"</wrap></r>")

    judgement = judge(forged)
    assert judgement.indication is not Indication.TOTAL_PASSED
    assert "part_not_covered" in codes(judgement)


def test_references_of_two_signatures_may_be_numbered_alike(tmp_path: Path) -> None:
    made = [
        reference(f"#d{number}").replace("<ds:Reference", '<ds:Reference Id="r-1"')
        for number in (1, 2)
    ]
    first, second = (template(one) for one in made)
    for old in ("sig", "xades-props"):
        second = second.replace(f'"{old}"', f'"{old}2"').replace(f"#{old}", f"#{old}2")
    data = "".join(f'<data Id="d{number}">{BODY}</data>' for number in (1, 2))
    once = signed(f"<r>{data}{first}{second}</r>", tmp_path).decode()
    content = signed(once[once.index("?>") + 2 :], tmp_path, node="sig2")

    assert judge(content).is_passed, codes(judge(content))
    assert len(judge(content).signatures) == 2
    taken = content.replace(b'Id="d2"', b'Id="r-1"')
    assert judge(taken).sub_indication is SubIndication.FORMAT_FAILURE


def test_duplicate_id_fails(tmp_path: Path) -> None:
    inner = template(reference("#d", EXCLUSIVE), form=EXCLUSIVE)
    sound = signed(f'<r><data Id="d">{BODY}</data>{inner}</r>', tmp_path)

    judgement = judge(sound.replace(b"<r>", b'<r><data Id="d">forged</data>'))

    assert judgement.sub_indication is SubIndication.FORMAT_FAILURE


@pytest.mark.parametrize(
    "change",
    [
        (b'URI=""', b'URI="http://127.0.0.1/x"'),
        (b'URI=""', b'URI="file:///etc/passwd"'),
        (b"xmldsig#enveloped-signature", b"xmldsig#base64"),
        (ENVELOPED.encode(), b"http://www.w3.org/TR/1999/REC-xslt-19991116"),
        (b"<ds:SignatureValue>", b"<ds:SignatureValue>!!!!"),
        (b"#ecdsa-sha256", b"#hmac-sha256"),
        (b"</ds:KeyInfo>", b"</ds:KeyInfo><ds:KeyInfo></ds:KeyInfo>"),
        (b"<r>", b"<!DOCTYPE r><r>"),
        (b"2022-04-12T09:30", b"2022-04-12T09:31"),
    ],
)
def test_attacks_do_not_pass(change: tuple[bytes, bytes], tmp_path: Path) -> None:
    inner = template(reference("", ENVELOPED, EXCLUSIVE), form=EXCLUSIVE)
    sound = signed(f"<r>{BODY}{inner}</r>", tmp_path)
    assert judge(sound).is_passed
    assert change[0] in sound

    judgement = judge(sound.replace(*change))

    assert judgement.indication is Indication.TOTAL_FAILED


def with_stamp(content: bytes, *, form: str, spoil: bool = False) -> bytes:
    """Return the document with a SignatureTimeStamp as another tool would add it."""
    root = safexml.parse(content, keep_comments=True)
    element = root.find(f".//{{{DS}}}Signature")
    assert element is not None
    method = {INCLUSIVE: Method.INCLUSIVE, EXCLUSIVE: Method.EXCLUSIVE}[form]
    octets = canonical(one(element, DS, "SignatureValue"), Form(method=method))
    token = pki().timestamper().stamp(digester(octets + b"x" * spoil)("sha256"))
    stamp = (
        "<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp>"
        f'<ds:CanonicalizationMethod Algorithm="{form}"/><xades:EncapsulatedTimeStamp>'
        f"{base64.encodebytes(token).decode()}</xades:EncapsulatedTimeStamp>"
        "</xades:SignatureTimeStamp></xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
    )
    return content.replace(
        b"</xades:QualifyingProperties>", stamp.encode() + b"</xades:QualifyingProperties>"
    )


@pytest.mark.parametrize("form", [INCLUSIVE, EXCLUSIVE])
def test_time_stamp_of_another_tool_counts(form: str, tmp_path: Path) -> None:
    judgement = judge(with_stamp(enveloped(form, tmp_path), form=form))

    assert judgement.is_passed, codes(judgement)
    assert judgement.signatures[0].level is Level.B_T
    assert judgement.signatures[0].best_time == NOW


def test_time_stamp_over_other_data_proves_nothing_and_is_told(tmp_path: Path) -> None:
    content = with_stamp(enveloped(EXCLUSIVE, tmp_path), form=EXCLUSIVE, spoil=True)

    judgement = judge(content)

    assert judgement.signatures[0].level is Level.B_B
    assert judgement.signatures[0].best_time is None
    assert "timestamp_imprint" in codes(judgement)


@pytest.mark.parametrize(
    "text",
    [
        '<a xmlns="urn:x" xmlns:p="urn:p" b="1" p:c="2"><!-- c --><b xmlns=""><c xmlns="urn:y" '
        'p:z="&lt;&#9;"/>te&amp;xt &gt;</b><?pi data ?><p:d xmlns:q="urn:q"><e/></p:d></a>',
        '<?x y?><p:a xmlns:p="urn:p" xmlns="urn:d"><p:b xmlns=""><c/><p:d xmlns="urn:d"/></p:b>'
        "</p:a><!--z-->",
        '<a xmlns:p="urn:p"><b xmlns:p="urn:q"><p:c xmlns:p="urn:p" p:x="1"/></b></a>',
        '<p:a xmlns:p="urn:p" xmlns="urn:d"><p:b xmlns=""><p:c/></p:b></p:a>',
    ],
)
def test_canonical_form_agrees_with_lxml_where_lxml_is_right(text: str) -> None:
    root = safexml.parse(text.encode(), keep_comments=True)
    for method, exclusive in ((Method.INCLUSIVE, False), (Method.EXCLUSIVE, True)):
        for comments in (False, True):
            form = Form(method=method, with_comments=comments)
            expected = etree.tostring(
                root.getroottree(), method="c14n", exclusive=exclusive, with_comments=comments
            )
            assert canonical(root, form, whole=True) == expected
        for element in root.iter("*"):
            expected = etree.tostring(
                element, method="c14n", exclusive=exclusive, with_comments=False, with_tail=False
            )
            assert canonical(element, Form(method=method)) == expected


def test_changed_bytes_never_raise_and_never_pass_inside_signed_parts(tmp_path: Path) -> None:
    content = enveloped(EXCLUSIVE, tmp_path)
    start, end = content.index(b"<ds:SignedInfo"), content.index(b"</ds:SignatureValue>")
    trust = pki().trust()
    for position in range(0, len(content), 7):
        changed = content[:position] + bytes((content[position] ^ 1,)) + content[position + 1 :]
        judgement = judge_xml(changed, trust=trust, at=NOW)
        in_signed_info = start <= position < end and not chr(content[position]).isspace()
        assert not (judgement.is_passed and in_signed_info), position


def test_too_many_references_to_the_whole_document_are_refused_before_any_work(
    tmp_path: Path,
) -> None:
    content = enveloped(EXCLUSIVE, tmp_path)
    start = content.index(b"<ds:Reference")
    end = content.index(b"</ds:Reference>") + len(b"</ds:Reference>")
    filler = b"<f>" + b"x" * 500_000 + b"</f>"
    flooded = content[:start] + content[start:end] * 300 + content[end:]
    flooded = flooded.replace(b"<ds:Signature ", filler + b"<ds:Signature ", 1)

    judgement = judge(flooded)

    assert judgement.sub_indication is SubIndication.FORMAT_FAILURE
    assert ("reason", "work") in judgement.signatures[0].reasons[0].parameters
