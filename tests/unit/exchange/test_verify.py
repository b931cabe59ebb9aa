"""Judging files and folders for the command: what lies beside, as of when, again and in bulk."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from dossier.report import Answer, Subject
from exchange import verifyfolder
from exchange.errors import FileUnreadable, LedgerRefused, RevocationFileRefused
from exchange.verify import (
    MAX_FILE_BYTES,
    AsOf,
    TrustFiles,
    beside,
    content_of,
    given_of,
    judge_given,
    judge_path,
    read_file,
)
from exchange.verifyfolder import Judged, Wanted, find_files, judge_all, open_ledger
from signing.errors import VerificationIndeterminate
from signing.evidence import TrustGiven
from signing.policy import Service, ServiceKind
from signing.purpose import Purpose
from signing.trustlist import TrustList, write_trust_list
from tests.builders.foreign import reference, signed, template
from tests.builders.signing import LONG, NOW, pki, sealed

LATER = NOW + timedelta(hours=1)


@cache
def given() -> TrustGiven:
    return TrustGiven(
        anchors=(pki().root.certificate,),
        certificates=(pki().issuing.certificate,),
        crls=pki().crls(),
    )


def files(tmp_path: Path) -> dict[str, Path]:
    """Write anchor and CRLs as an auditor has them."""
    written = {
        "anchor": tmp_path / "anchor.cer",
        "issuing": tmp_path / "issuing.cer",
        "crl0": tmp_path / "0.crl",
        "crl1": tmp_path / "1.crl",
    }
    contents = [pki().root.certificate, pki().issuing.certificate, *pki().crls()]
    for path, content in zip(written.values(), contents, strict=True):
        path.write_bytes(content)
    return written


def folder(tmp_path: Path, count: int = 3) -> Path:
    target = tmp_path / "folder"
    (target / "sub").mkdir(parents=True)
    for number in range(count):
        (target / "sub" / f"{number}.asice").write_bytes(sealed())
    (target / "letter.pdf").write_bytes(b"%PDF letter")
    detached(target, "letter.pdf")
    return target


def detached(target: Path, name: str) -> None:
    """Write letter.xml, a signature over the file of that name beside it."""
    with TemporaryDirectory() as work:
        copy = Path(work) / name
        copy.write_bytes((target / name).read_bytes())
        (target / "letter.xml").write_bytes(signed(template(reference(name)), Path(work)))


def answers(judged: list[Judged]) -> dict[str, Answer]:
    return {one.name: one.answer for one in judged}


def test_folder_is_judged_with_detached_files_under_their_signature(tmp_path: Path) -> None:
    target = folder(tmp_path)

    found = find_files([target])
    judged = list(judge_all(found, given=given(), at=LATER))

    assert answers(judged) == {
        name: Answer.PASSED for name in ("letter.xml", "sub/0.asice", "sub/1.asice", "sub/2.asice")
    }


def test_signed_file_that_another_signature_names_is_judged_itself(tmp_path: Path) -> None:
    (tmp_path / "letter.asice").write_bytes(sealed(stamped=False)[:-1])
    detached(tmp_path, "letter.asice")

    judged = list(judge_all(find_files([tmp_path]), given=given(), at=LATER))

    assert answers(judged) == {"letter.xml": Answer.PASSED, "letter.asice": Answer.FAILED}


def test_stray_file_of_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("unsigned")

    judged = list(judge_all(find_files([tmp_path]), given=given(), at=LATER))

    assert answers(judged) == {"notes.txt": Answer.FAILED}


def test_file_that_is_gone_gets_an_answer_and_stops_nothing(tmp_path: Path) -> None:
    target = folder(tmp_path, count=1)
    found = find_files([target])
    (target / "sub/0.asice").unlink()

    judged = list(judge_all(found, given=given(), at=LATER))

    assert answers(judged) == {"letter.xml": Answer.PASSED, "sub/0.asice": Answer.INDETERMINATE}


@pytest.mark.parametrize(
    "uri", ["../outside.pdf", "/etc/hostname", "%2e%2e/outside.pdf", "x" * 999]
)
def test_nothing_outside_the_folder_is_read(tmp_path: Path, uri: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "outside.pdf").write_bytes(b"secret")
    path = inner / "s.xml"
    path.write_text(f"<x xmlns='http://www.w3.org/2000/09/xmldsig#'><Reference URI='{uri}'/></x>")
    (inner / "link").symlink_to(tmp_path / "outside.pdf")

    assert beside(path, path.read_bytes()) == {}
    assert beside(path, path.read_bytes().replace(uri.encode(), b"link")) == {}


def test_bulk_on_several_processes_gives_the_answers_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_files([folder(tmp_path)])
    one_by_one = list(judge_all(found, given=given(), at=LATER))
    monkeypatch.setattr(verifyfolder, "_FEW_FILES", 0)
    monkeypatch.setattr(verifyfolder, "cores", lambda: 2)

    assert list(judge_all(found, given=given(), at=LATER)) == one_by_one


def test_ledger_takes_up_where_it_was_cut_off(tmp_path: Path) -> None:
    target, path = folder(tmp_path), tmp_path / "ledger"
    found = find_files([target])
    first = judge_all(
        found, given=given(), at=LATER, ledger=open_ledger(path, given=given(), at=LATER)
    )
    begun = [next(first), next(first)]
    with path.open("ab") as out:
        out.write(b'{"name": "torn')

    again = open_ledger(path, given=given(), at=LATER)
    whole = list(judge_all(found, given=given(), at=LATER, ledger=again))

    assert [one.report is None for one in whole] == [True, True, False, False]
    assert [one.json for one in whole[:2]] == [one.json for one in begun]
    assert len(open_ledger(path, given=given(), at=LATER).known) == 4


def test_changed_file_is_judged_again_whatever_the_ledger_says(tmp_path: Path) -> None:
    target, path = folder(tmp_path, count=0), tmp_path / "ledger"
    found = find_files([target])
    list(
        judge_all(found, given=given(), at=LATER, ledger=open_ledger(path, given=given(), at=LATER))
    )
    (target / "letter.pdf").write_bytes(b"%PDF other")

    again = open_ledger(path, given=given(), at=LATER)
    judged = list(judge_all(found, given=given(), at=LATER, ledger=again))

    assert answers(judged) == {"letter.xml": Answer.FAILED}


def test_ledger_of_other_trust_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    open_ledger(path, given=given(), at=LATER)

    with pytest.raises(LedgerRefused):
        open_ledger(path, given=TrustGiven(), at=LATER)
    with pytest.raises(LedgerRefused):
        open_ledger(path, given=given(), at=AsOf.SIGNING)
    path.write_text("no ledger\n")
    with pytest.raises(LedgerRefused):
        open_ledger(path, given=given(), at=LATER)


def test_as_of_signing_judges_at_the_proved_time(tmp_path: Path) -> None:
    written = files(tmp_path)
    trusted = TrustFiles(
        anchors=[written["anchor"]],
        certificates=[written["issuing"]],
        crls=[written["crl0"], written["crl1"]],
    )
    path = tmp_path / "file.asice"
    path.write_bytes(sealed())

    report = judge_path(path, trusted=trusted, at=AsOf.SIGNING)
    assert report.judged_at == NOW
    assert report.is_passed
    assert "signing_time_claimed" not in {one.code for one in report.notices}

    path.write_bytes(sealed(stamped=False))
    report = judge_path(path, trusted=trusted, at=AsOf.SIGNING)
    assert report.judged_at == NOW
    assert "signing_time_claimed" in {one.code for one in report.notices}


def trust_list(tmp_path: Path, *, granted: bool) -> Path:
    listed = TrustList(
        number=1,
        territory="VN",
        operator="NEAC",
        street="18 Nguyễn Du",
        locality="Hà Nội",
        information_uri="https://neac.gov.vn",
        issued=NOW,
        next_update=NOW + timedelta(days=180),
        services=(
            Service(
                kind=ServiceKind.AUTHORITY,
                certificate=pki().issuing.certificate,
                history=((LONG.start, granted),),
            ),
            Service(
                kind=ServiceKind.TIMESTAMPING,
                certificate=pki().issuing.certificate,
                history=((LONG.start, granted),),
            ),
        ),
    )
    path = tmp_path / "list.xml"
    path.write_bytes(
        write_trust_list(listed, signer=pki().signers[Purpose.TRUST_LIST], timestamper=None, at=NOW)
    )
    return path


def test_trust_list_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VerificationIndeterminate):
        given_of(TrustFiles(trust_lists=[trust_list(tmp_path, granted=True)]))


@pytest.mark.parametrize(("granted", "answer"), [(True, True), (False, False)])
def test_services_of_a_trust_list_anchor_while_granted(
    tmp_path: Path, granted: bool, answer: bool
) -> None:
    operator = tmp_path / "operator.cer"
    operator.write_bytes(pki().signers[Purpose.TRUST_LIST].certificate)
    crl = tmp_path / "issuing.crl"
    crl.write_bytes(pki().crls()[1])
    path = tmp_path / "file.asice"
    path.write_bytes(sealed())
    trusted = TrustFiles(
        anchors=[operator], trust_lists=[trust_list(tmp_path, granted=granted)], crls=[crl]
    )

    report = judge_path(path, trusted=trusted, at=NOW)

    assert report.is_passed is answer
    assert [one.code for one in report.notices][-1] == "trust_list_outdated"
    assert report.subject is Subject.CONTAINER


def test_trust_list_that_was_kept_is_judged_as_of_then(tmp_path: Path) -> None:
    root = tmp_path / "root.cer"
    root.write_bytes(pki().root.certificate)
    issuing = tmp_path / "issuing.cer"
    issuing.write_bytes(pki().issuing.certificate)
    crls = [tmp_path / f"{number}.crl" for number in range(len(pki().crls()))]
    for path, crl in zip(crls, pki().crls(), strict=True):
        path.write_bytes(crl)
    trusted = TrustFiles(
        anchors=[root],
        certificates=[issuing],
        trust_lists=[trust_list(tmp_path, granted=True)],
        crls=crls,
    )

    assert given_of(trusted, at=NOW).services
    with pytest.raises(VerificationIndeterminate):  # its operator's certificate has ended
        given_of(trusted)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    huge = tmp_path / "huge.asice"
    with huge.open("wb") as out:
        out.truncate(MAX_FILE_BYTES + 1)  # sparse: it takes no room
    with pytest.raises(FileUnreadable, match="at most"):
        read_file(huge)
    (judged,) = judge_all(find_files([tmp_path]), given=given())
    assert judged.answer is Answer.INDETERMINATE


def test_a_brief_run_gives_the_same_answers(tmp_path: Path) -> None:
    target = folder(tmp_path)
    (target / "broken.asice").write_bytes(sealed()[:-1])
    found = find_files([target])
    brief = Wanted(json=False, reports=True, passed_reports=False)

    full = list(judge_all(found, given=given(), at=LATER))
    short = list(judge_all(found, given=given(), at=LATER, wanted=brief))

    assert [(one.name, one.answer) for one in short] == [(one.name, one.answer) for one in full]
    assert [one.report for one in short] == [
        one.report if one.answer is not Answer.PASSED else None for one in full
    ]


def test_lists_in_pem_count_and_what_is_none_is_named(tmp_path: Path) -> None:
    written = files(tmp_path)
    pem = tmp_path / "all.pem"
    crls = pki().crls()
    lists = [x509.load_der_x509_crl(one) for one in crls]
    pem.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in lists))

    found = given_of(TrustFiles(crls=[pem]))

    assert found.crls == crls
    for trusted in (
        TrustFiles(crls=[written["anchor"]]),
        TrustFiles(ocsps=[written["crl0"]]),
    ):
        with pytest.raises(RevocationFileRefused):
            given_of(trusted)


def test_large_container_is_mapped_and_judged_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder(tmp_path)
    torn = target / "torn.asice"
    torn.write_bytes(sealed()[:-1])
    whole = [path for path in target.rglob("*") if path.is_file()]
    read = [judge_given(path, given=given(), at=NOW) for path in whole]

    monkeypatch.setattr("exchange.verify._MAPPED_BYTES", 1)

    assert content_of(torn) == torn
    assert isinstance(content_of(target / "letter.pdf"), bytes)
    assert [judge_given(path, given=given(), at=NOW) for path in whole] == read
    ledger = open_ledger(tmp_path / "ledger", given=given(), at=NOW)
    first = list(judge_all(find_files([target]), given=given(), at=NOW, ledger=ledger))
    again = open_ledger(tmp_path / "ledger", given=given(), at=NOW)
    second = list(judge_all(find_files([target]), given=given(), at=NOW, ledger=again))
    assert [one.answer for one in second] == [one.answer for one in first]
    assert all(one.report is None for one in second)
