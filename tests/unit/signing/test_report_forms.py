"""Reports as HTML and as ETSI TS 119 102-2, held to their rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Final

import pytest
from lxml import etree
from pyhanko.generated.etsi import ts_11910202
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from dossier import safexml
from dossier.report import Report
from dossier.texts import Language
from signing.evidence import TrustGiven, judge_file
from signing.report import report_etsi, report_html, report_of
from signing.report.etsi import NAMESPACE
from tests.builders.evidence import JUDGED, bundle
from tests.builders.evidence import given as bundle_given
from tests.builders.signing import pki, sealed

# What may stand in what, and in which order: TS 119 102-2 V1.4.1 clause 4 and its schema, for the
# elements that are written here.
ORDER: Final = {
    "ValidationReport": ("SignatureValidationReport", "SignatureValidationObjects"),
    "SignatureValidationReport": (
        "SignatureIdentifier",
        "ValidationTimeInfo",
        "SignersDocument",
        "SignatureAttributes",
        "SignerInformation",
        "SignatureValidationProcess",
        "SignatureValidationStatus",
    ),
    "SignatureIdentifier": ("HashOnly", "DocHashOnly", "DAIdentifier"),
    "ValidationTimeInfo": ("ValidationTime", "BestSignatureTime"),
    "BestSignatureTime": ("POETime", "TypeOfProof"),
    "SignersDocument": ("SignersDocumentRepresentation",),
    "SignatureAttributes": ("SigningTime", "SignerRole", "SignatureTimeStamp", "ArchiveTimeStamp"),
    "SigningTime": ("Time",),
    "SignerRole": ("RoleDetails",),
    "RoleDetails": ("Role", "EndorsementType"),
    "SignatureTimeStamp": ("TimeStampValue",),
    "ArchiveTimeStamp": ("TimeStampValue",),
    "SignerInformation": ("SignerCertificate", "Signer"),
    "SignatureValidationProcess": (
        "SignatureValidationProcessID",
        "SignatureValidationServicePolicy",
    ),
    "SignatureValidationStatus": (
        "MainIndication",
        "SubIndication",
        "AssociatedValidationReportData",
    ),
    "AssociatedValidationReportData": ("CryptoInformation", "AdditionalValidationReportData"),
    "CryptoInformation": ("ValidationObjectId", "Algorithm", "SecureAlgorithm"),
    "AdditionalValidationReportData": ("ReportData",),
    "ReportData": ("Type", "Value"),
    "SignatureValidationObjects": ("ValidationObject",),
    "ValidationObject": ("ObjectType", "ValidationObjectRepresentation"),
    "ValidationObjectRepresentation": ("DigestAlgAndValue", "URI"),
    "DigestAlgAndValue": ("DigestMethod", "DigestValue"),
}
REQUIRED: Final = {
    "SignatureValidationReport": {"SignatureValidationStatus"},
    "SignatureIdentifier": {"HashOnly", "DocHashOnly"},
    "ValidationTimeInfo": {"ValidationTime", "BestSignatureTime"},
    "SignatureValidationStatus": {"MainIndication"},
    "SignerInformation": {"SignerCertificate"},
    "ReportData": {"Type", "Value"},
}
REPEATED: Final = {"SignatureValidationReport", "ReportData", "ValidationObject"}
TIMES: Final = {"ValidationTime", "POETime", "Time", "TimeStampValue"}
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def report(content: bytes, known: TrustGiven) -> Report:
    judged = judge_file(content, name="tệp.asice", given=known, at=JUDGED)
    return report_of(judged, name="tệp.asice", given=known, at=JUDGED)


def samples() -> dict[str, Report]:
    crls = TrustGiven(
        anchors=(pki().root.certificate,),
        certificates=(pki().issuing.certificate,),
        crls=pki().crls(),
    )
    passed = report(sealed(), crls)
    person = replace(passed.signatures[0], signer='<script>"x"</script>\x1b[2J')
    return {
        "bundle": report(bundle(), bundle_given()),
        "container": passed,
        "no anchor": report(sealed(), TrustGiven()),
        "no signature": report(b"<x></x>", crls),
        "not a file of ours": report(b"nothing", crls),
        "hostile words": replace(passed, name="<b>\x00", signatures=(person,)),
    }


SAMPLES = samples()
EVERY = pytest.mark.parametrize("name", SAMPLES)


def etsi(*reports: Report) -> etree._Element:
    content = report_etsi(reports, language=Language.EN)
    return safexml.parse(content, caps=safexml.Caps(size_bytes=4_000_000))


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


@EVERY
def test_etsi_report_keeps_the_order_of_the_schema(name: str) -> None:
    for element in etsi(SAMPLES[name]).iter("*"):
        children = [local(one) for one in element]
        if local(element) not in ORDER:
            assert children == [], local(element)
            continue
        allowed = ORDER[local(element)]
        assert set(children) <= set(allowed)
        assert set(children) >= REQUIRED.get(local(element), set())
        assert children, f"{local(element)} is empty"
        single = [one for one in children if one not in REPEATED]
        if local(element) != "SignatureAttributes":
            assert len(single) == len(set(single))
        assert children == sorted(children, key=allowed.index)


@EVERY
def test_etsi_report_reads_by_the_classes_that_others_generated_from_the_schema(name: str) -> None:
    strict = ParserConfig(
        fail_on_unknown_properties=True,
        fail_on_unknown_attributes=True,
        fail_on_converter_warnings=True,
    )
    # Theirs are of V1.2.1: of what we write, V1.4.1 renamed nothing but the namespace.
    content = report_etsi([SAMPLES[name]], language=Language.EN)
    content = content.replace(NAMESPACE.encode(), ts_11910202.__NAMESPACE__.encode())

    read = XmlParser(config=strict).from_bytes(content, ts_11910202.ValidationReport)

    # A document may be named by its representation alone since V1.3.1.
    assert set(missing(read)) <= {"SignersDocumentType.digest_alg_and_value"}


def missing(one: object) -> Iterator[str]:
    """Yield the required parts that a read object has not."""
    if isinstance(one, list | tuple):
        for part in one:
            yield from missing(part)
    elif is_dataclass(one):
        for field in fields(one):
            value = getattr(one, field.name)
            if field.metadata.get("required") and value is None:
                yield f"{type(one).__name__}.{field.name}"
            yield from missing(value)


@EVERY
def test_etsi_report_refers_only_to_what_it_holds(name: str) -> None:
    root = etsi(SAMPLES[name], SAMPLES["container"])
    identities = [str(one.get("id")) for one in root.iter("*") if one.get("id")]
    assert len(identities) == len(set(identities))
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", one) for one in identities)
    for element in root.iter("*"):
        assert set((element.get("VOReference") or "").split()) <= set(identities)
        if local(element) in TIMES:
            assert INSTANT.fullmatch(element.text or "")


@EVERY
def test_etsi_report_says_what_the_report_says(name: str) -> None:
    one = SAMPLES[name]
    root = etsi(one)
    path = f"{{{NAMESPACE}}}SignatureValidationReport"
    told = [
        (found.text or "").rpartition(":")[2].upper()
        for found in root.iterfind(f"{path}/{{*}}SignatureValidationStatus/{{*}}MainIndication")
    ]
    expected = [signature.indication.value for signature in one.signatures]
    if one.reasons or not one.signatures:
        expected.append(one.indication.value)
    assert told == expected


@EVERY
@pytest.mark.parametrize("language", Language)
def test_html_report_is_one_page_that_fetches_and_runs_nothing(
    name: str, language: Language
) -> None:
    page = report_html([SAMPLES[name]], language=language)

    root = etree.fromstring(page.replace("<!doctype html>", ""), etree.HTMLParser())
    assert root.get("lang") == language.value
    assert not root.xpath("//script | //link | //img | //@src | //@href | //@onclick")
    assert "\x1b" not in page
    assert SAMPLES[name].indication.value in page


def test_html_of_several_reports_has_an_article_for_each() -> None:
    page = report_html([SAMPLES["container"], SAMPLES["no anchor"]], language=Language.VI)

    assert page.count("<article>") == 2
    assert "<title>Kiểm tra 2 tệp</title>" in page
