"""Foreign XAdES above B-T and inside itself: archive time-stamps, counter signatures, several."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from lxml import etree

from dossier import safexml
from signing.indication import Indication, SubIndication
from signing.judgement import Judgement, Level
from signing.unsigned import DS, XADES, XADES_141
from signing.verify import judge_xml
from tests.builders.foreign import EXCLUSIVE, INCLUSIVE, reference, signed, template
from tests.builders.signing import NOW, pki

LETTER = b"%PDF letter"
CLOSE = b"</xades:QualifyingProperties>"


def judge(content: bytes) -> Judgement:
    return judge_xml(content, trust=pki().trust(), at=NOW, files={"letter.pdf": LETTER})


def codes(judgement: Judgement) -> set[str]:
    return {reason.code for one in judgement.signatures for reason in one.reasons}


def plain(folder: Path, form: str = EXCLUSIVE) -> bytes:
    (folder / "letter.pdf").write_bytes(LETTER)
    text = template(reference("letter.pdf"), form=form)
    return signed(text.replace("<ds:SignatureValue/>", '<ds:SignatureValue Id="value"/>'), folder)


def with_properties(content: bytes, *properties: str) -> bytes:
    inside = "".join(properties)
    text = (
        f"<xades:UnsignedProperties><xades:UnsignedSignatureProperties>{inside}"
        "</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
    )
    return content.replace(CLOSE, text.encode() + CLOSE)


def c14n(root: etree._Element, path: str) -> bytes:
    element = root.find(path)
    assert element is not None
    return etree.tostring(
        element, method="c14n", exclusive=True, with_comments=False, with_tail=False
    )


def stamp(kind: str, octets: bytes) -> str:
    token = pki().timestamper().stamp(hashlib.sha256(octets).digest())
    return (
        f'<{kind} xmlns:v="{XADES_141}"><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f"<xades:EncapsulatedTimeStamp>{base64.b64encode(token).decode()}"
        f"</xades:EncapsulatedTimeStamp></{kind}>"
    )


def raised(content: bytes, *, archives: int, spoil: bytes = b"") -> bytes:
    """Return the signature with a time-stamp, values and archive time-stamps, one by one."""
    root = safexml.parse(content)
    properties = [stamp("xades:SignatureTimeStamp", c14n(root, f"{{{DS}}}SignatureValue"))]
    crls = "".join(
        "<xades:EncapsulatedCRLValue>"
        f"{base64.encodebytes(one).decode()}</xades:EncapsulatedCRLValue>"
        for one in pki().crls()
    )
    properties.append(
        f"<xades:RevocationValues><xades:CRLValues>{crls}</xades:CRLValues>"
        "</xades:RevocationValues>"
    )
    for _ in range(archives):
        octets = archived(with_properties(content, *properties))
        properties.append(stamp("v:ArchiveTimeStamp", octets + spoil))
    return with_properties(content, *properties)


def archived(content: bytes) -> bytes:
    root = safexml.parse(content)
    path = f"{{{DS}}}Object/{{{XADES}}}QualifyingProperties/{{{XADES}}}"
    nodes = [
        c14n(root, f"{path}SignedProperties"),
        *(c14n(root, f"{{{DS}}}{name}") for name in ("SignedInfo", "SignatureValue", "KeyInfo")),
    ]
    unsigned = root.find(f"{path}UnsignedProperties/{{{XADES}}}UnsignedSignatureProperties")
    assert unsigned is not None
    nodes += [
        etree.tostring(one, method="c14n", exclusive=True, with_comments=False, with_tail=False)
        for one in unsigned
    ]
    enveloped = root.findall(f"{{{DS}}}Object[@Id='o']")
    nodes += [c14n(root, f"{{{DS}}}Object[@Id='o']") for _ in enveloped]
    data = c14n(root, f"{{{DS}}}Object[@Id='o']") if enveloped else LETTER
    return data + b"".join(nodes)


@pytest.mark.parametrize("archives", [1, 2])
def test_archive_time_stamps_of_another_tool_make_lta(archives: int, tmp_path: Path) -> None:
    judgement = judge(raised(plain(tmp_path), archives=archives))

    assert judgement.is_passed, codes(judgement)
    assert judgement.signatures[0].level is Level.B_LTA
    assert len(judgement.signatures[0].timestamps) == archives + 1


def test_archive_time_stamp_is_over_the_signed_objects_once_more(tmp_path: Path) -> None:
    objects = '<ds:Object Id="o"><a xmlns="">Hòa Bình</a></ds:Object>'
    text = template(reference("#o", EXCLUSIVE), form=EXCLUSIVE, objects=objects)
    content = raised(signed(text, tmp_path), archives=1)

    judgement = judge_xml(content, trust=pki().trust(), at=NOW)

    assert judgement.is_passed, codes(judgement)
    assert judgement.signatures[0].level is Level.B_LTA


def test_time_stamp_that_includes_the_value_is_over_it_and_others_are_told(tmp_path: Path) -> None:
    sound = raised(plain(tmp_path), archives=0)
    opening = b'<xades:SignatureTimeStamp xmlns:v="%s">' % XADES_141.encode()
    assert opening in sound

    def including(uri: bytes) -> Judgement:
        return judge(sound.replace(opening, opening + b'<xades:Include URI="%s"/>' % uri))

    assert including(b"#value").signatures[0].level is Level.B_LT
    assert "timestamp_unsupported" in codes(including(b"#sig"))
    assert including(b"#sig").signatures[0].best_time is None
    assert including(b"#sig").is_passed


def test_values_inside_are_enough_and_a_wrong_archive_time_stamp_is_told(tmp_path: Path) -> None:
    sound = raised(plain(tmp_path), archives=0)
    bare = judge_xml(sound, trust=pki().trust(crls=()), at=NOW, files={"letter.pdf": LETTER})
    spoilt = judge(raised(plain(tmp_path), archives=1, spoil=b"x"))

    assert bare.is_passed, codes(bare)
    assert bare.signatures[0].level is Level.B_LT
    assert spoilt.signatures[0].level is Level.B_LT
    assert "timestamp_imprint" in codes(spoilt)


def test_archive_time_stamp_of_the_old_form_is_told(tmp_path: Path) -> None:
    content = with_properties(plain(tmp_path), stamp("xades:ArchiveTimeStamp", b""))

    judgement = judge(content)

    assert judgement.signatures[0].level is Level.B_B
    assert "archive_unsupported" in codes(judgement)


def countersigned(folder: Path, target: str = "#value") -> bytes:
    steps = (EXCLUSIVE,) if target.startswith("#") else ()
    inner = template(reference(target, *steps), form=EXCLUSIVE)
    inner = inner.replace('Id="sig"', 'Id="sig2"').replace("#sig", "#sig2")
    inner = inner.replace("xades-props", "xades-props2")
    text = with_properties(
        plain(folder), f"<xades:CounterSignature>{inner}</xades:CounterSignature>"
    )
    return signed(text.decode(), folder, node="sig2")


def test_counter_signature_is_judged_on_its_own(tmp_path: Path) -> None:
    judgement = judge(countersigned(tmp_path))

    assert judgement.is_passed, codes(judgement)
    first, second = judgement.signatures
    assert second.id == f"{first.id}/counter-1"
    assert (first.covers, second.covers) == (("letter.pdf",), (first.id,))


def test_counter_signature_over_something_else_fails(tmp_path: Path) -> None:
    elsewhere = judge(countersigned(tmp_path, target="letter.pdf"))

    assert elsewhere.signatures[0].indication is Indication.TOTAL_PASSED
    assert elsewhere.signatures[1].sub_indication is SubIndication.FORMAT_FAILURE
    assert "counter_elsewhere" in codes(elsewhere)


def test_changed_counter_signature_does_not_pass(tmp_path: Path) -> None:
    content = countersigned(tmp_path)
    start = content.rindex(b"<ds:SignatureValue>") + 24
    changed = (
        content[:start] + (b"A" if content[start:][:1] != b"A" else b"B") + content[start + 1 :]
    )

    judgement = judge(changed)

    assert judgement.signatures[0].indication is Indication.TOTAL_PASSED
    assert judgement.signatures[1].sub_indication is SubIndication.SIG_CRYPTO_FAILURE


@pytest.mark.parametrize("form", [EXCLUSIVE, INCLUSIVE])
def test_several_signatures_beside_each_other_are_judged_each(form: str, tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(LETTER)
    content = "<r>" + "".join(_numbered(form, number) for number in (1, 2)) + "</r>"
    for number in (1, 2):
        content = signed(content, tmp_path, node=f"sig{number}").decode()

    judgement = judge(content.encode())
    changed = judge(content.replace("2022-04-12T09:30", "2022-04-12T09:31", 1).encode())

    assert judgement.is_passed, codes(judgement)
    assert [one.id for one in judgement.signatures] == ["signature#1", "signature#2"]
    assert [one.indication for one in changed.signatures] == [
        Indication.TOTAL_FAILED,
        Indication.TOTAL_PASSED,
    ]


def _numbered(form: str, number: int) -> str:
    text = template(reference("letter.pdf"), form=form)
    return _with_ids(text, ("sig", "xades-props"), number)


def _with_ids(text: str, names: Sequence[str], number: int) -> str:
    for name in names:
        text = text.replace(f'Id="{name}"', f'Id="{name}{number}"')
        text = text.replace(f'"#{name}"', f'"#{name}{number}"')
    return text
