"""Trust lists: whom they make trusted, for what, and when."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from signing.errors import TrustListMalformed, VerificationFailed, VerificationIndeterminate
from signing.indication import SubIndication
from signing.policy import Service, ServiceKind, Trust
from signing.purpose import Purpose
from signing.trustlist import TrustList, open_trust_list, trust_of, write_trust_list
from signing.verify import judge_container
from tests.builders.foreign import ENVELOPED, EXCLUSIVE, reference, signed, template
from tests.builders.signing import NOW, pki, sealed

DAY = timedelta(days=1)
ROOT = pki().root.certificate
ISSUING = pki().issuing.certificate


def service(
    certificate: bytes = ROOT,
    kind: ServiceKind = ServiceKind.AUTHORITY,
    *history: tuple[int, bool],
) -> Service:
    spans = history or ((-100, True),)
    return Service(
        kind=kind,
        certificate=certificate,
        history=tuple((NOW + days * DAY, granted) for days, granted in spans),
    )


def listed(*services: Service) -> TrustList:
    return TrustList(
        number=7,
        territory="VN",
        operator="Trung tâm <Chứng thực> & cộng sự",
        street="18 Nguyễn Du",
        locality="Hà Nội",
        information_uri="https://tsl.example/",
        issued=NOW,
        next_update=NOW + 30 * DAY,
        services=services,
    )


def judged(*services: Service) -> SubIndication | None:
    trust = trust_of(listed(*services), certificates=[ISSUING], crls=pki().crls())
    return judge_container(sealed(), trust=trust, at=NOW).sub_indication


def test_written_list_reads_back_the_same() -> None:
    expected = listed(
        service(ROOT, ServiceKind.AUTHORITY, (-100, True), (-5, False)),
        service(ISSUING, ServiceKind.TIMESTAMPING),
    )
    content = write_trust_list(
        expected,
        signer=pki().signers[Purpose.TRUST_LIST],
        timestamper=pki().timestamper(),
        at=NOW,
    )

    assert open_trust_list(content, trust=pki().trust(), at=NOW) == expected


def test_listed_root_anchors_containers() -> None:
    assert judged(service()) is None


def test_listed_issuing_authority_anchors_without_the_root() -> None:
    trust = trust_of(listed(service(ISSUING)), crls=pki().crls())

    assert judge_container(sealed(), trust=trust, at=NOW).is_passed


@pytest.mark.parametrize(
    "history",
    [
        ((-100, True), (-1, False)),  # withdrawn before the signature
        ((1, True),),  # granted only later
        ((-100, False),),
    ],
)
def test_service_not_granted_at_the_time_anchors_nothing(
    history: tuple[tuple[int, bool], ...],
) -> None:
    found = judged(service(ROOT, ServiceKind.AUTHORITY, *history))

    assert found is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_service_withdrawn_after_the_signature_still_anchors_it() -> None:
    trust = trust_of(
        listed(service(ROOT, ServiceKind.AUTHORITY, (-100, True), (1, False))),
        certificates=[ISSUING],
        crls=pki().crls(),
    )

    assert judge_container(sealed(), trust=trust, at=NOW + 2 * DAY).is_passed


def test_time_stamping_service_does_not_anchor_a_signer() -> None:
    found = judged(service(ROOT, ServiceKind.TIMESTAMPING))

    assert found is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_service_of_another_key_with_the_same_name_anchors_nothing() -> None:
    found = judged(service(pki.__wrapped__().root.certificate))

    assert found is not None


def test_list_signed_for_another_purpose_is_refused() -> None:
    content = write_trust_list(
        listed(service()), signer=pki().signers[Purpose.SEAL], timestamper=None, at=NOW
    )

    with pytest.raises(VerificationIndeterminate):
        open_trust_list(content, trust=pki().trust(), at=NOW)


def test_changed_list_is_refused() -> None:
    content = write_trust_list(
        listed(service()), signer=pki().signers[Purpose.TRUST_LIST], timestamper=None, at=NOW
    )

    with pytest.raises(VerificationFailed):
        open_trust_list(content.replace(b">VN<", b">XX<"), trust=pki().trust(), at=NOW)


def test_other_signed_document_is_no_list(tmp_path: Path) -> None:
    inner = template(reference("", ENVELOPED, EXCLUSIVE), form=EXCLUSIVE)
    document = signed(f"<r>{inner}</r>", tmp_path)

    with pytest.raises((TrustListMalformed, VerificationIndeterminate)):
        open_trust_list(document, trust=pki().trust(), at=NOW)


def test_without_trust_in_the_operator_no_list_is_opened() -> None:
    content = write_trust_list(
        listed(service()), signer=pki().signers[Purpose.TRUST_LIST], timestamper=None, at=NOW
    )

    with pytest.raises(VerificationIndeterminate):
        open_trust_list(content, trust=Trust(anchors=()), at=NOW)
