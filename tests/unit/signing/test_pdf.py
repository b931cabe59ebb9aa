"""PDF that pyHanko signs passes at every level; what changes or hides something does not."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.indication import Indication, SubIndication
from signing.judgement import Judgement, Level
from signing.pdf import judge_pdf
from tests.builders.cms import holder
from tests.builders.pdf import (
    blank,
    encrypted,
    filled,
    hybrid,
    overlaid,
    pointing_nowhere,
    signed,
    updated,
)
from tests.builders.signing import NOW, pki


def judge(content: bytes) -> Judgement:
    return judge_pdf(content, name="a.pdf", trust=pki().trust(), at=NOW)


def codes(judgement: Judgement) -> set[str]:
    reasons = [*judgement.reasons]
    for signature in judgement.signatures:
        reasons += signature.reasons
    return {reason.code for reason in reasons}


@pytest.fixture(scope="module")
def sound() -> bytes:
    return signed(blank())


@pytest.mark.parametrize(
    ("pades", "kind", "pss"),
    [(True, "ec", False), (False, "ec", False), (True, "rsa", False), (True, "rsa", True)],
)
def test_signature_passes(pades: bool, kind: str, pss: bool) -> None:
    judgement = judge(signed(blank(), pades=pades, kind=kind, pss=pss))

    assert judgement.is_passed, codes(judgement)
    signature = judgement.signatures[0]
    assert (signature.id, signature.level) == ("a.pdf#Sig1", Level.B_B)
    assert signature.certificate == holder(kind).certificate
    assert signature.claimed_time is not None
    assert judgement.files[0].covered_by == ("a.pdf#Sig1",)


@pytest.mark.parametrize(
    ("long_term", "archive", "level"),
    [(False, False, Level.B_T), (True, False, Level.B_LT), (True, True, Level.B_LTA)],
)
def test_levels_of_pades(long_term: bool, archive: bool, level: Level) -> None:
    content = signed(blank(), at=NOW, long_term=long_term, archive=archive)

    bare = judge_pdf(content, name="a.pdf", trust=pki().trust(crls=()), at=NOW)
    judgement = judge(content)

    assert judgement.is_passed, codes(judgement)
    assert judgement.signatures[0].level is level
    assert judgement.signatures[0].best_time == NOW
    assert bare.is_passed == long_term, codes(bare)
    assert len(judgement.signatures) == (2 if archive else 1)


def test_each_of_several_signatures_is_judged(sound: bytes) -> None:
    judgement = judge(signed(sound, field="Sig2", kind="rsa"))

    assert judgement.is_passed, codes(judgement)
    assert [one.id for one in judgement.signatures] == ["a.pdf#Sig1", "a.pdf#Sig2"]
    assert "pdf_signed" in codes(judgement)


@pytest.mark.parametrize(
    ("allow", "indication", "code"),
    [
        (None, Indication.INDETERMINATE, "pdf_unstated"),
        (1, Indication.TOTAL_FAILED, "pdf_forbidden"),
        (2, Indication.TOTAL_PASSED, "pdf_allowed"),
    ],
)
def test_filling_in_a_form_is_for_the_signer_to_allow(
    allow: int | None, indication: Indication, code: str
) -> None:
    judgement = judge(filled(signed(blank(), allow=allow)))

    assert judgement.indication is indication
    assert code in codes(judgement)


def test_incremental_saving_attack_fails(sound: bytes) -> None:
    noted = judge(overlaid(signed(blank(), allow=3)))
    assert noted.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    assert "pdf_untold" in codes(noted)
    for content in (sound, signed(blank(), allow=2)):
        judgement = judge(overlaid(content))
        assert judgement.sub_indication is SubIndication.FORMAT_FAILURE
        assert "pdf_unexplained" in codes(judgement)
        assert judgement.files[0].covered_by == ()


def test_shadow_that_a_later_signature_covers_fails_for_the_first(sound: bytes) -> None:
    judgement = judge(signed(overlaid(sound), field="Sig2", kind="rsa"))

    first, second = judgement.signatures
    assert first.indication is Indication.TOTAL_FAILED
    assert second.indication is Indication.TOTAL_PASSED
    assert judgement.indication is Indication.TOTAL_FAILED


def test_reference_to_nothing_means_null() -> None:
    content = signed(pointing_nowhere())

    assert judge(content).is_passed, codes(judge(content))
    further = judge(signed(content, field="Sig2", kind="rsa"))
    assert further.is_passed, codes(further)


@pytest.mark.parametrize("key", ["/Contents", "/Parent"])
def test_what_is_put_later_where_a_signed_reference_led_nowhere_fails(key: str) -> None:
    content = signed(pointing_nowhere(key=key), allow=2)

    judgement = judge(updated(content, 900))

    assert judgement.sub_indication is SubIndication.FORMAT_FAILURE
    assert "pdf_unexplained" in codes(judgement)
    # The same object that nothing refers to shows nothing.
    assert judge(updated(signed(blank(), allow=2), 900)).is_passed


def test_keys_of_the_trailer_that_mean_nothing_are_passed_over() -> None:
    left = updated(blank(), 800, extra=b"/AdditionalStreams [900 0 R]")

    assert judge(updated(signed(left), 900)).is_passed


def test_hybrid_references_are_read_where_every_reader_finds_the_same() -> None:
    judgement = judge(signed(hybrid(blank(), 900)))

    assert judgement.is_passed, codes(judgement)
    hidden = b"xref\n900 1\n0000000000 65535 f \n"
    assert judge(signed(hybrid(blank(), 900, table=hidden))).is_passed


@pytest.mark.parametrize("line", [b"0000000015 00000 n ", b"0000000000 00001 f "])
def test_hybrid_references_that_disagree_are_refused_by_name(line: bytes) -> None:
    table = b"xref\n900 1\n" + line + b"\n"

    judgement = judge(hybrid(signed(blank()), 900, table=table))

    assert judgement.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    assert judgement.reasons[0].parameters == (("what", "hybrid references"),)


def test_hybrid_update_after_a_signature_is_refused_by_name(sound: bytes) -> None:
    judgement = judge(hybrid(sound, 900))

    assert judgement.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    assert "pdf_unsupported" in codes(judgement)


@pytest.mark.parametrize("tail", [b"x", b"\n%x\n", b"%%EOF\n1 0 obj null endobj\n%%EOF\n"])
def test_content_behind_the_last_signature_fails(sound: bytes, tail: bytes) -> None:
    judgement = judge(sound + tail)

    assert judgement.indication is Indication.TOTAL_FAILED
    assert judge(sound + b"\r\n").is_passed


def gap_of(content: bytes) -> tuple[int, int]:
    found = re.search(rb"/ByteRange \[0 (\d+) (\d+) ", content)
    assert found is not None
    return int(found.group(1)), int(found.group(2))


def test_signature_wrapping_in_the_gap_fails(sound: bytes) -> None:
    _, end = gap_of(sound)
    evil = b"> 9 0 obj << /Evil true >> endobj"
    wrapped = sound[: end - len(evil) - 1] + evil + sound[end - 1 :]
    assert len(wrapped) == len(sound)

    judgement = judge(wrapped)

    assert judgement.indication is Indication.TOTAL_FAILED


@pytest.mark.parametrize(
    "change",
    [
        (rb"/ByteRange \[0 ", b"/ByteRange [1 "),
        (rb"/ByteRange \[0 (\d)", b"/ByteRange [0 9"),
        (rb"/ByteRange \[0 \d\d\d", b"/ByteRange [0 0  "),
        (rb"/ByteRange \[0 ", b"/ByteRange [- "),
        (rb"/ByteRange", b"/ByteRanje"),
        (rb"/ByteRange \[", b"/ByteRange ("),
        (rb"/Contents <..", b"/Contents <00"),
        (rb"/Contents <", b"/Contentz <"),
    ],
)
def test_byte_range_games_fail(sound: bytes, change: tuple[bytes, bytes]) -> None:
    changed = re.sub(*change, sound, count=1)
    assert changed != sound

    assert judge(changed).indication is Indication.TOTAL_FAILED


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (b"/adbe.x509.rsa_sha1 ", "adbe.x509.rsa_sha1"),
        (b"/adbe.pkcs7.sha1    ", "adbe.pkcs7.sha1"),
    ],
)
def test_old_kinds_are_refused_by_name(sound: bytes, kind: bytes, what: str) -> None:
    judgement = judge(sound.replace(b"/ETSI.CAdES.detached", kind))

    assert judgement.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    assert judgement.signatures[0].reasons[0].parameters == (("what", what),)


def test_encrypted_and_unsigned_documents_are_told() -> None:
    assert judge(encrypted()).sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    assert "pdf_unsupported" in codes(judge(encrypted()))
    assert codes(judge(blank())) == {"pdf_unsigned"}
    assert judge(blank()).indication is Indication.TOTAL_FAILED


def test_without_the_extra_it_is_told_that_the_reader_is_missing(
    sound: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "signing.pdfreader", None)

    judgement = judge(sound)

    assert judgement.indication is Indication.INDETERMINATE
    assert codes(judgement) == {"pdf_reader_missing"}


def test_changed_octets_of_what_is_signed_do_not_pass(sound: bytes) -> None:
    start, end = gap_of(sound)
    positions = [*range(0, start, 61), *range(end, len(sound), 61)]
    # The signed attributes and the value stand at the end of the CMS in the gap.
    used = len(sound[start:end].rstrip(b"0>"))
    positions += range(start + used - 600, start + used - 4, 41)
    for position in positions:
        changed = bytearray(sound)
        changed[position] ^= 1
        assert not judge(bytes(changed)).is_passed, position


@settings(max_examples=60)
@given(st.data())
def test_any_bytes_get_a_judgement(data: st.DataObject) -> None:
    content = bytearray(blank())
    start = data.draw(st.integers(5, len(content) - 1))
    content[start : start + 40] = data.draw(st.binary(max_size=80))

    assert not judge(bytes(content)).is_passed
