"""Evidence records: one time-stamp over many documents, each with its own proof."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.errors import EvidenceRecordMalformed
from signing.evidencerecord import _dump, build_records, judge_record, parse_record, renew_records
from signing.indication import SubIndication
from signing.pki import Validity
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority, Timestamper
from tests.builders.signing import NOW, pki

YEAR = timedelta(days=365)
DIGESTS = [hashlib.sha256(bytes([number])).digest() for number in range(13)]


FORMS = pytest.mark.parametrize("is_xml", [False, True], ids=["der", "xml"])


class Counting:
    """A time-stamper that counts."""

    def __init__(self, inner: Timestamper) -> None:
        self.inner = inner
        self.count = 0

    def stamp(self, imprint_sha256: bytes) -> bytes:
        self.count += 1
        return self.inner.stamp(imprint_sha256)


@FORMS
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 13])
def test_each_record_proves_its_own_document_with_one_stamp_for_all(
    count: int, is_xml: bool
) -> None:
    timestamper = Counting(pki().timestamper())
    records = build_records(DIGESTS[:count], timestamper=timestamper, is_xml=is_xml)

    assert timestamper.count == 1
    for digest, record in zip(DIGESTS, records, strict=False):
        found = judge_record(record, digest=digest, trust=pki().trust(), at=NOW)
        assert found.verdict.is_passed, found
        assert found.time == NOW


@FORMS
def test_record_of_another_document_proves_nothing(is_xml: bool) -> None:
    first, _, _ = build_records(DIGESTS[:3], timestamper=pki().timestamper(), is_xml=is_xml)

    for digest in (DIGESTS[2], DIGESTS[5]):
        found = judge_record(first, digest=digest, trust=pki().trust(), at=NOW)
        assert found.verdict.sub_indication is SubIndication.HASH_FAILURE
        assert found.time is None


@FORMS
def test_renewed_record_outlives_its_first_authority(is_xml: bool) -> None:
    start = NOW + YEAR
    later = pki().leaf(
        Purpose.TSA,
        validity=Validity(start=start - timedelta(days=1), end=start + 5 * YEAR),
        serial=970,
    )
    records = build_records(DIGESTS[:5], timestamper=pki().timestamper(), is_xml=is_xml)
    renewed = renew_records(
        records, timestamper=TimestampAuthority(later).timestamper(lambda: start)
    )
    then = NOW + 4 * YEAR  # the first authority's certificate ended after two years
    trust = pki().trust(crls=pki().crls(at=then, next_update=then + YEAR))
    early = pki().crls(at=start, next_update=start + YEAR)
    trust = pki().trust(crls=(*trust.crls, *early))

    old = judge_record(records[1], digest=DIGESTS[1], trust=trust, at=then)
    new = judge_record(renewed[1], digest=DIGESTS[1], trust=trust, at=then)

    assert old.verdict.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE
    assert new.verdict.is_passed
    assert (new.time, len(new.stamps)) == (NOW, 2)


@FORMS
def test_no_changed_byte_of_a_record_passes(is_xml: bool) -> None:
    record = build_records(DIGESTS[:5], timestamper=pki().timestamper(), is_xml=is_xml)[2]
    trust = pki().trust()
    for position in range(0, len(record), 3):
        changed = record[:position] + bytes((record[position] ^ 1,)) + record[position + 1 :]
        found = judge_record(changed, digest=DIGESTS[2], trust=trust, at=NOW)
        assert not found.verdict.is_passed, position


@FORMS
def test_first_list_of_one_digest_goes_on_as_it_is(is_xml: bool) -> None:
    first, second = DIGESTS[:2]
    root = hashlib.sha256(b"".join(sorted((first, second)))).digest()
    (made,) = build_records([root], timestamper=pki().timestamper(), is_xml=is_xml)
    parsed = parse_record(made)
    stamp = replace(parsed.stamps[0], branch=((first,), (second,)))
    record = _dump(replace(parsed, stamps=(stamp,)))

    assert judge_record(record, digest=first, trust=pki().trust(), at=NOW).verdict.is_passed
    other = judge_record(record, digest=second, trust=pki().trust(), at=NOW)
    assert other.verdict.sub_indication is SubIndication.HASH_FAILURE


def test_nothing_and_other_digests_are_refused() -> None:
    for digests in ([], [b"short"]):
        with pytest.raises(EvidenceRecordMalformed):
            build_records(digests, timestamper=pki().timestamper())


@given(st.binary(max_size=200))
def test_any_bytes_get_a_verdict(content: bytes) -> None:
    for octets in (content, b"<" + content):
        found = judge_record(octets, digest=DIGESTS[0], trust=pki().trust(), at=NOW)

    assert found.verdict.sub_indication is SubIndication.FORMAT_FAILURE


@given(st.integers(min_value=1, max_value=40))
def test_written_records_read_back(count: int) -> None:
    digests = [hashlib.sha256(bytes([number])).digest() for number in range(count)]
    for record in build_records(digests, timestamper=pki().timestamper()):
        assert len(parse_record(record).stamps) == 1
