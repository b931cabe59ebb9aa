"""Reports: the same findings as types, words, text and JSON, in both languages."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import signing
from dossier.report import Answer, Integrity, Report, ReportReason, Subject
from dossier.texts import Language, known_codes
from signing import zipfile
from signing.evidence import TrustGiven, judge_file
from signing.indication import SubIndication
from signing.log import LeafKind
from signing.purpose import Purpose
from signing.report import dump_report, report_of, report_page, report_text
from signing.xades import SignatureRole
from tests.builders.evidence import (
    JUDGED,
    LETTER,
    bundle,
    given,
    letters,
    message,
    parts,
    receipt,
    signed_directory,
    trust,
)
from tests.builders.signing import pki, sealed

PACKAGE = Path(signing.__file__).parent
SCHEMA = json.loads((PACKAGE / "schemas/report.schema.json").read_text(encoding="utf-8"))
BUNDLE = bundle()


def report(content: bytes, *, name: str = "file", known: TrustGiven | None = None) -> Report:
    trusted = known or given()
    judged = judge_file(content, name=name, given=trusted, at=JUDGED)
    return report_of(judged, name=name, given=trusted, at=JUDGED)


def spoiled() -> bytes:
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(BUNDLE).entries]
    document = f"documents/{LETTER}"
    return zipfile.write([(name, b"x" if name == document else old) for name, old in entries])


def samples() -> dict[str, Report]:
    """A report of every kind and answer."""
    untrusted = bundle(replace(parts(), trust=trust(crls=())))
    crls = given(crls=pki().crls(), certificates=(pki().issuing.certificate,))
    return {
        "bundle": report(BUNDLE),
        "bundle without anchor": report(BUNDLE, known=TrustGiven()),
        "bundle without revocation lists": report(untrusted),
        "bundle with another document": report(spoiled()),
        "bundle cut short": report(BUNDLE[:-1]),
        "container": report(sealed(), known=crls),
        "message": report(letters()[0], known=replace(crls, directory=signed_directory())),
        "receipt": report(receipt(letters()[0]), known=crls),
        "directory": report(signed_directory(), known=crls),
        "xml": report(b"<x></x>"),
        "nothing": report(b"nothing"),
        "empty": report(b""),
    }


SAMPLES = samples()
EVERY = pytest.mark.parametrize("name", SAMPLES)
BOTH = pytest.mark.parametrize("language", Language)


def test_every_sample_is_what_it_says() -> None:
    assert {name: (one.subject, one.indication) for name, one in SAMPLES.items()} == {
        "bundle": (Subject.BUNDLE, Answer.PASSED),
        "bundle without anchor": (Subject.BUNDLE, Answer.INDETERMINATE),
        "bundle without revocation lists": (Subject.BUNDLE, Answer.INDETERMINATE),
        "bundle with another document": (Subject.BUNDLE, Answer.FAILED),
        "bundle cut short": (Subject.BUNDLE, Answer.FAILED),
        "container": (Subject.CONTAINER, Answer.PASSED),
        "message": (Subject.CONTAINER, Answer.PASSED),
        "receipt": (Subject.RECEIPT, Answer.PASSED),
        "directory": (Subject.DIRECTORY, Answer.PASSED),
        "xml": (Subject.XML, Answer.FAILED),
        "nothing": (Subject.UNKNOWN, Answer.FAILED),
        "empty": (Subject.UNKNOWN, Answer.FAILED),
    }


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@EVERY
def test_json_follows_its_schema(name: str) -> None:
    value = json.loads(dump_report(SAMPLES[name]))
    errors = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(value)]
    assert errors == []


@EVERY
def test_json_holds_nothing_that_the_schema_does_not_describe(name: str) -> None:
    value = json.loads(dump_report(SAMPLES[name]))
    assert set(value) == set(SCHEMA["properties"])
    for kind, room in (("signature", "signatures"), ("file", "files"), ("message", "messages")):
        described = set(SCHEMA["$defs"][kind]["properties"])
        assert all(set(one) == described for one in value[room])


def test_json_has_the_fields_that_were_promised() -> None:
    value = json.loads(dump_report(SAMPLES["bundle"]))
    assert (value["indication"], value["sub_indication"]) == ("TOTAL-PASSED", None)
    assert [one["id"] for one in value["signatures"]][2] == (
        "messages/1.asice!META-INF/signatures001.xml"
    )
    first = value["signatures"][0]
    assert first["level"] == "B-T"
    assert first["claimed_time"] == "2022-04-12T03:00:00.000Z"
    assert f"documents/{LETTER}" in first["covers"]
    assert all(one["covered_by"] for one in value["files"])
    assert value["witnessed"] is False


@EVERY
@BOTH
def test_every_report_has_words_in_both_languages(name: str, language: Language) -> None:
    page = report_page(SAMPLES[name], language=language)
    words = [page.title, page.verdict, page.sentence, *page.reasons, *page.notices]
    blocks = [block for section in page.sections for block in section.blocks]
    words += [row.label for block in blocks for row in block.rows]
    words += [text for block in blocks for text in block.reasons]
    assert all(words)
    # A code that stands for itself is a text that somebody forgot.
    assert not [one for one in words if one.replace("_", "").isalnum() and "_" in one]
    text = report_text(SAMPLES[name], language=language)
    assert page.answer.value in text.splitlines()[1]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("bundle", "Hợp lệ"),
        ("bundle without anchor", "Chưa đủ căn cứ kết luận"),
        ("bundle with another document", "Không hợp lệ"),
    ],
)
def test_verdict_is_in_the_words_of_the_circular(name: str, word: str) -> None:
    page = report_page(SAMPLES[name], language=Language.VI)
    assert page.verdict == word
    assert page.rows[0].value.startswith(word)


def test_signatures_show_the_fields_of_the_circular_in_its_order() -> None:
    page = report_page(SAMPLES["bundle"], language=Language.VI)
    signatures = next(one for one in page.sections if one.code == "signatures")
    assert [row.label for row in signatures.blocks[0].rows][:9] == [
        "Kết quả",
        "Tổ chức cấp chứng thư",
        "Người ký",
        "Đơn vị quản lý",
        "Thời điểm ký",
        "Dấu thời gian",
        "Tính toàn vẹn",
        "Hiệu lực chứng thư tại thời điểm ký",
        "Thời hạn của chứng thư",
    ]


def test_a_changed_document_is_named_first() -> None:
    page = report_page(SAMPLES["bundle with another document"], language=Language.EN)
    assert f"documents/{LETTER}" in page.reasons[0]
    seal = SAMPLES["bundle with another document"].signatures[0]
    assert (seal.integrity, seal.certificate_answer) == (Integrity.BROKEN, None)


def test_a_bundle_never_claims_to_be_complete_or_witnessed() -> None:
    english = report_text(SAMPLES["bundle"], language=Language.EN)
    assert "not witnessed" in english
    assert "complete" not in english
    vietnamese = report_text(SAMPLES["bundle"], language=Language.VI)
    assert "chưa có nhân chứng" in vietnamese
    assert "đầy đủ" not in vietnamese


def test_missing_revocation_lists_are_told_plainly() -> None:
    found = SAMPLES["bundle without revocation lists"]
    assert found.sub_indication == "TRY_LATER"
    text = report_text(found, language=Language.VI)
    assert "Chưa biết trạng thái thu hồi của chứng thư số." in text


def test_a_message_alone_is_bound_by_a_given_directory_and_says_so_without() -> None:
    assert SAMPLES["message"].signatures[1].agency == "H28"
    assert SAMPLES["message"].messages[0].sender == "H28"
    assert SAMPLES["message"].notices == ()
    assert [one.code for one in SAMPLES["container"].notices] == ["agency_not_checked"]


def test_a_message_alone_misses_the_persons_signature_it_lists() -> None:
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(message()).entries]
    bare = [one for one in entries if one[0] != "META-INF/signatures001.xml"]
    found = report(zipfile.write(bare))
    assert found.indication is Answer.FAILED
    assert {"name": "META-INF/signatures001.xml"} in [dict(one.parameters) for one in found.reasons]


def test_text_cannot_steer_a_terminal() -> None:
    found = SAMPLES["message"]
    evil = replace(found, messages=(replace(found.messages[0], subject="a\x1b[2J\nHỢP LỆ\u202e"),))
    text = report_text(evil, language=Language.VI)
    assert not {"\x1b", "\u202e"} & set(text)
    assert "a\ufffd[2J\ufffdHỢP LỆ\ufffd" in text


def test_a_code_without_text_prints_as_itself() -> None:
    odd = replace(SAMPLES["nothing"], reasons=(ReportReason(code="never_heard", parameters={}),))
    assert report_page(odd, language=Language.EN).reasons == ("never_heard",)


def test_many_reasons_are_cut_and_counted() -> None:
    many = tuple(
        ReportReason(code="file_unexpected", parameters={"name": str(one)}) for one in range(30)
    )
    page = report_page(replace(SAMPLES["nothing"], reasons=many), language=Language.EN)
    assert len(page.reasons) == 13
    assert "18 more" in page.reasons[-1]


@BOTH
def test_every_reason_that_signing_gives_has_a_text(language: Language) -> None:
    codes = set(_reason_codes())
    assert len(codes) > 70
    assert codes - known_codes("reason", language) - known_codes("notice", language) == set()


@BOTH
def test_every_closed_set_has_its_words(language: Language) -> None:
    known = known_codes("report", language)
    wanted = {f"title_{one.value}" for one in Subject}
    wanted |= {f"role_{one.value}" for one in SignatureRole}
    wanted |= {f"purpose_{one.name.lower()}" for one in Purpose}
    wanted |= {f"event_{one.value}" for one in LeafKind}
    wanted |= {f"integrity_{one.value}" for one in Integrity}
    assert wanted - known == set()
    assert {one.value for one in SubIndication} <= known_codes("sub_indication", language)


def _reason_codes() -> Iterator[str]:
    """Every code that stands as a literal in `failed`, `indeterminate` or `Reason`."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                given_codes = {
                    "failed": node.args[1:2],
                    "indeterminate": node.args[1:2],
                    "Reason": [one.value for one in node.keywords if one.arg == "code"],
                }.get(node.func.id, [])
                yield from (str(one.value) for one in given_codes if isinstance(one, ast.Constant))
