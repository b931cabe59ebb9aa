"""CMS that openssl signs passes in every shape; what is changed, moved or unbound does not."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import der
from signing.cms import parse_cms, parse_signer
from signing.cmsfile import judge_cms_file
from signing.indication import Indication, SubIndication
from signing.judgement import Judgement, Level
from signing.pki import certificates_pem
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority
from tests.builders.cms import (
    AT_COUNTER_SIGNATURE,
    CONTENT,
    archived,
    attribute,
    holder,
    long_term,
    openssl_cms,
    rebuilt,
    signer_info,
    stamped,
)
from tests.builders.signing import LONG, NOW, pki

PSS = ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32")


def judge(content: bytes, *, name: str = "d.txt.p7s", beside: bytes = CONTENT) -> Judgement:
    return judge_cms_file(content, name=name, files={"d.txt": beside}, trust=pki().trust(), at=NOW)


def codes(judgement: Judgement) -> set[str]:
    return {reason.code for one in judgement.signatures for reason in one.reasons}


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (("-cades",), "ec"),
        (("-cades", "-md", "sha512"), "ec"),
        (("-cades",), "rsa"),
        (("-cades", "-md", "sha384"), "rsa"),
        (("-cades", *PSS), "rsa"),
        (("-cades", "-keyid"), "ec"),
        (("-cades", "-outform", "PEM"), "ec"),
        (("-cades", "-stream"), "ec"),
    ],
)
def test_detached_signature_of_openssl_passes(
    options: tuple[str, ...], kind: str, tmp_path: Path
) -> None:
    content = openssl_cms(tmp_path, *options, kinds=(kind,))

    judgement = judge(content)

    assert judgement.is_passed, codes(judgement)
    signature = judgement.signatures[0]
    assert (signature.level, signature.covers) == (Level.B_B, ("d.txt",))
    assert signature.certificate == holder(kind).certificate
    assert judgement.files[0].covered_by == (signature.id,)
    assert ("pkcs1_signature" in codes(judgement)) == (kind == "rsa" and "-keyopt" not in options)


def test_attached_content_is_what_is_covered(tmp_path: Path) -> None:
    content = openssl_cms(tmp_path, "-cades", "-nodetach", "-stream")

    judgement = judge(content, name="d.txt.p7m", beside=b"other")

    assert judgement.is_passed, codes(judgement)
    assert [one.name for one in judgement.files] == ["d.txt"]


def test_changed_or_missing_content_does_not_pass(tmp_path: Path) -> None:
    content = openssl_cms(tmp_path, "-cades")

    assert judge(content, beside=b"other").sub_indication is SubIndication.HASH_FAILURE
    alone = judge_cms_file(content, name="d.p7s", files={}, trust=pki().trust(), at=NOW)
    assert alone.sub_indication is SubIndication.SIGNED_DATA_NOT_FOUND


def test_every_signer_is_judged(tmp_path: Path) -> None:
    content = openssl_cms(tmp_path, "-cades", kinds=("ec", "rsa"))

    judgement = judge(content)

    assert judgement.is_passed, codes(judgement)
    assert [one.id for one in judgement.signatures] == ["d.txt.p7s#1", "d.txt.p7s#2"]


def test_plain_cms_passes_but_reaches_no_level(tmp_path: Path) -> None:
    judgement = judge(openssl_cms(tmp_path))

    assert judgement.is_passed
    assert judgement.signatures[0].level is None
    assert "certificate_not_signed" in codes(judgement)


def test_signature_without_attributes_does_not_pass(tmp_path: Path) -> None:
    judgement = judge(openssl_cms(tmp_path, "-noattr"))

    assert judgement.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    assert "attributes_missing" in codes(judgement)


def test_weak_and_odd_algorithms_do_not_pass(tmp_path: Path) -> None:
    weak = judge(openssl_cms(tmp_path, "-cades", "-md", "sha1"))
    odd = judge(openssl_cms(tmp_path, "-cades", *PSS[:3], "rsa_pss_saltlen:20", kinds=("rsa",)))

    assert weak.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    assert odd.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE


def test_levels_rise_to_lta(tmp_path: Path) -> None:
    first = stamped(openssl_cms(tmp_path, "-cades"))
    second = long_term(first)

    assert judge(first).signatures[0].level is Level.B_T
    assert judge(first).signatures[0].best_time == NOW
    assert judge(second).signatures[0].level is Level.B_LT
    assert judge(long_term(first, inside=False)).signatures[0].level is Level.B_LT
    for raised in (archived(second), archived(archived(second))):
        judgement = judge(raised)
        assert judgement.is_passed, codes(judgement)
        assert judgement.signatures[0].level is Level.B_LTA


def test_long_term_values_are_enough_without_lists_given(tmp_path: Path) -> None:
    content = long_term(stamped(openssl_cms(tmp_path, "-cades")))
    bare = pki().trust(crls=())

    judgement = judge_cms_file(
        content, name="d.txt.p7s", files={"d.txt": CONTENT}, trust=bare, at=NOW
    )

    assert judgement.is_passed, codes(judgement)


def test_stamps_over_something_else_prove_nothing(tmp_path: Path) -> None:
    sound = openssl_cms(tmp_path, "-cades")
    spoilt = judge(stamped(sound, spoil=True))
    other = judge(archived(long_term(stamped(sound)), octets=b"other"))
    partly = judge(archived(long_term(stamped(sound)), leave_out=1))

    assert spoilt.signatures[0].level is Level.B_B
    for judgement in (other, partly):
        assert judgement.signatures[0].level is Level.B_LT
        assert "timestamp_imprint" in codes(judgement)


@pytest.mark.parametrize(
    ("over", "content_type", "code"),
    [
        (b"", None, None),
        (b"x", None, "file_changed"),
        # RFC 5652 §11.4: a counter signature states no content type.
        (b"", der.oid("1.2.840.113549.1.7.1"), "content_type_wrong"),
    ],
)
def test_counter_signature_is_judged_on_its_own(
    over: bytes, content_type: bytes | None, code: str | None, tmp_path: Path
) -> None:
    data = parse_cms(openssl_cms(tmp_path, "-cades"))
    counter = signer_info(data.signers[0].signature + over, content_type=content_type)
    content = rebuilt(data, unsigned=[attribute(AT_COUNTER_SIGNATURE, counter)])

    judgement = judge(content)

    first, second = judgement.signatures
    assert (first.id, second.id) == ("d.txt.p7s", "d.txt.p7s/counter-1")
    assert first.indication is Indication.TOTAL_PASSED
    assert judgement.is_passed == (code is None)
    assert code is None or code in codes(judgement)
    assert second.covers == (() if over else ("d.txt.p7s",))


def test_certificate_that_the_attribute_does_not_bind_is_not_taken(tmp_path: Path) -> None:
    data = parse_cms(openssl_cms(tmp_path, "-cades"))
    content = rebuilt(data, certificates=[holder("rsa").certificate])

    judgement = judge(content)

    assert judgement.sub_indication is SubIndication.NO_SIGNING_CERTIFICATE_FOUND


def test_any_changed_octet_of_what_is_signed_does_not_pass(tmp_path: Path) -> None:
    content = openssl_cms(tmp_path, "-cades")
    data = parse_cms(content)
    signer = data.signers[0]
    trust = pki().trust()
    start = content.index(b"".join(signer.fields))
    for position in range(start, start + len(b"".join(signer.fields))):
        changed = bytearray(content)
        changed[position] ^= 1
        judgement = judge_cms_file(
            bytes(changed), name="d.txt.p7s", files={"d.txt": CONTENT}, trust=trust, at=NOW
        )
        # The version says nothing that is used; every other octet is signed or names the signer.
        assert not judgement.is_passed or position == start + 2, position


def test_archive_time_stamp_outlives_the_first_authority(tmp_path: Path) -> None:
    year = timedelta(days=365)
    sound = long_term(stamped(openssl_cms(tmp_path, "-cades")), at=NOW + timedelta(hours=1))
    second = TimestampAuthority(pki().leaf(Purpose.TSA, validity=LONG, serial=930))
    later = archived(sound, timestamper=second.timestamper(lambda: NOW + year))
    at = NOW + 3 * year
    trust = pki().trust(crls=pki().crls(at=at - timedelta(days=1), next_update=at + year))

    def judged(content: bytes) -> Judgement:
        return judge_cms_file(
            content, name="d.txt.p7s", files={"d.txt": CONTENT}, trust=trust, at=at
        )

    # By then the certificates of the signer and of the first authority have expired.
    assert judged(sound).sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE
    assert judged(later).is_passed, codes(judged(later))
    assert judged(later).signatures[0].level is Level.B_LTA
    assert judged(later).signatures[0].best_time == NOW


def test_openssl_still_accepts_what_was_raised(tmp_path: Path) -> None:
    raised = archived(long_term(stamped(openssl_cms(tmp_path, "-cades"))))
    (tmp_path / "raised").write_bytes(raised)
    (tmp_path / "store.pem").write_bytes(
        certificates_pem(pki().root.certificate, pki().issuing.certificate)
    )

    result = subprocess.run(
        [
            "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "raised",
            "-content", "content", "-CAfile", "store.pem", "-purpose", "any",
            "-attime", str(int(NOW.timestamp())), "-out", "out",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert result.returncode == 0, result.stderr


@given(st.binary(max_size=200))
def test_any_bytes_get_a_judgement(content: bytes) -> None:
    for octets in (content, b"\x30\x80" + content, b"-----BEGIN CMS-----\n" + content):
        judgement = judge_cms_file(octets, name="x.p7s", files={}, trust=pki().trust(), at=NOW)
        assert not judgement.is_passed


@given(st.data())
def test_any_changed_octet_gets_a_judgement(data: st.DataObject) -> None:
    content = bytearray(_sound())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] = data.draw(st.integers(0, 255))

    judge(bytes(content))


_KEPT: list[bytes] = []


def _sound() -> bytes:
    return _KEPT[0]


@pytest.fixture(autouse=True, scope="module")
def keep(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("cms")
    _KEPT.append(archived(long_term(stamped(openssl_cms(folder, "-cades")))))


def test_older_attribute_binds_by_sha1_which_is_told(tmp_path: Path) -> None:
    # openssl writes signing-certificate v1 for the digest SHA-1, so it is put into a sound one.
    data = parse_cms(openssl_cms(tmp_path, "-cades"))
    signer = signer_info(CONTENT, content_type=data.content_type, older=True)
    fields = parse_signer(signer).fields

    judgement = judge(rebuilt(data, fields=lambda _: fields))

    assert judgement.is_passed, codes(judgement)
    assert judgement.signatures[0].level is Level.B_B
    assert "weak_certificate_digest" in codes(judgement)
