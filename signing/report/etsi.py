"""Reports as ETSI TS 119 102-2 V1.4.1 validation reports, for tools of other makers.

The order of elements is the schema's. Only what was found is stated: an element that would need
a guess is left out.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

from dossier.report import Answer, Report, ReportReason, ReportSignature
from dossier.texts import Language
from dossier.xmltext import element, instant, root, text
from signing.report.words import printable, sentence

NAMESPACE: Final = "http://uri.etsi.org/19102/v1.4.1#"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_URN: Final = "urn:etsi:019102:"
_MAIN: Final = {
    Answer.PASSED: f"{_URN}mainindication:total-passed",
    Answer.INDETERMINATE: f"{_URN}mainindication:indeterminate",
    Answer.FAILED: f"{_URN}mainindication:total-failed",
}
# TS 119 102-2 §4.4.2: the process for signatures with long-term data contains the others.
_PROCESS: Final = f"{_URN}validationprocess:LTA"
_POE: Final = f"{_URN}poetype:validation"
_CERTIFICATE: Final = f"{_URN}validationObject:certificate"
_DATA: Final = f"{_URN}validationObject:signedData"
_REASON: Final = "urn:lienthong:verification:reason:"
_POLICY: Final = "urn:lienthong:verification:policy:"
_WEAK: Final = ("weak_algorithm", "weak_key", "algorithm_expired", "algorithm_forbidden")


def report_etsi(reports: Sequence[Report], *, language: Language) -> bytes:
    """Return one document with every signature of the reports, reasons in `language`.

    A file without a signature, or with faults of its own, gets an entry for itself.
    """
    objects: dict[str, str] = {}  # validation objects by identity
    parts: list[str] = []
    for number, report in enumerate(reports, start=1):
        parts += [
            _signature(report, one, f"r{number}-s{position}", objects, language)
            for position, one in enumerate(report.signatures, start=1)
        ]
        if report.reasons or not report.signatures:
            parts.append(_whole(report, f"r{number}", language))
    if objects:
        parts.append(element("SignatureValidationObjects", *objects.values()))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + root("ValidationReport", NAMESPACE, parts)


def _whole(report: Report, identity: str, language: Language) -> str:
    """Return the verdict on the file itself, whose faults belong to no signature."""
    return element(
        "SignatureValidationReport",
        _identifier(identity, report.name),
        _time_info(report, None),
        _process(report),
        _status(report.indication, report.sub_indication, _told(report.reasons, language)),
    )


def _signature(
    report: Report,
    one: ReportSignature,
    identity: str,
    objects: dict[str, str],
    language: Language,
) -> str:
    certificate = _certificate(one, objects)
    signer = (
        element(
            "SignerInformation",
            element("SignerCertificate", VOReference=certificate),
            _text("Signer", one.signer),
        )
        if certificate
        else ""
    )
    return element(
        "SignatureValidationReport",
        _identifier(identity, one.id),
        _time_info(report, one.best_time),
        _documents(identity, report, one, objects),
        _attributes(one),
        signer,
        _process(report),
        _status(
            one.indication,
            one.sub_indication,
            _crypto(one, certificate),
            _told(one.reasons, language),
        ),
    )


def _identifier(identity: str, name: str) -> str:
    return element(
        "SignatureIdentifier",
        element("HashOnly", "false"),
        element("DocHashOnly", "false"),
        _text("DAIdentifier", name),
        id=identity,
    )


def _time_info(report: Report, best: datetime | None) -> str:
    # Without any proof, that the signature exists is known since the instant of judging.
    proof = element(
        "BestSignatureTime",
        element("POETime", instant(best or report.judged_at)),
        element("TypeOfProof", _POE),
    )
    judged = element("ValidationTime", instant(report.judged_at))
    return element("ValidationTimeInfo", judged, proof)


def _documents(identity: str, report: Report, one: ReportSignature, objects: dict[str, str]) -> str:
    covered = [file for file in report.files if file.name in one.covers]
    names = [f"{identity}-f{number}" for number, _ in enumerate(covered, start=1)]
    for name, file in zip(names, covered, strict=True):
        address = element("URI", quote(file.name, safe="/!"))
        objects[name] = _object(name, _DATA, file.sha256, address)
    if not names:
        return ""
    return element(
        "SignersDocument",
        element("SignersDocumentRepresentation", VOReference=" ".join(names)),
    )


def _certificate(one: ReportSignature, objects: dict[str, str]) -> str:
    """Return the identity of the signer's certificate, empty when there is none."""
    if not one.certificate_sha256:
        return ""
    identity = f"c-{one.certificate_sha256}"
    objects[identity] = _object(identity, _CERTIFICATE, one.certificate_sha256)
    return identity


def _object(identity: str, kind: str, sha256: str, address: str = "") -> str:
    digest = element(
        "DigestAlgAndValue",
        element("DigestMethod", xmlns=_DS, Algorithm=_SHA256),
        element("DigestValue", base64.b64encode(bytes.fromhex(sha256)).decode(), xmlns=_DS),
    )
    return element(
        "ValidationObject",
        element("ObjectType", kind),
        element("ValidationObjectRepresentation", digest, address),
        id=identity,
    )


def _attributes(one: ReportSignature) -> str:
    found = "".join((_claimed_time(one), _role(one), *_stamps(one)))
    return element("SignatureAttributes", found) if found else ""


def _claimed_time(one: ReportSignature) -> str:
    if one.claimed_time is None:
        return ""
    return element("SigningTime", element("Time", instant(one.claimed_time)), Signed="true")


def _role(one: ReportSignature) -> str:
    if not one.role:
        return ""
    details = element("RoleDetails", _text("Role", one.role), element("EndorsementType", "claimed"))
    return element("SignerRole", details, Signed="true")


def _stamps(one: ReportSignature) -> Iterator[str]:
    for stamp in one.timestamps:
        if stamp.time is not None:
            name = "ArchiveTimeStamp" if stamp.is_archive else "SignatureTimeStamp"
            yield element(name, element("TimeStampValue", instant(stamp.time)), Signed="false")


def _process(report: Report) -> str:
    return element(
        "SignatureValidationProcess",
        element("SignatureValidationProcessID", _PROCESS),
        element("SignatureValidationServicePolicy", _POLICY + quote(report.policy)),
    )


def _crypto(one: ReportSignature, certificate: str) -> str:
    if not certificate or not one.algorithm:
        return ""
    is_weak = any(reason.code in _WEAK for reason in one.reasons)
    return element(
        "CryptoInformation",
        element("ValidationObjectId", VOReference=certificate),
        _text("Algorithm", one.algorithm),
        element("SecureAlgorithm", "false" if is_weak else "true"),
    )


def _told(reasons: Sequence[ReportReason], language: Language) -> str:
    told = [
        element(
            "ReportData",
            element("Type", _REASON + quote(one.code)),
            _text("Value", sentence("reason", one, language)),
        )
        for one in reasons
    ]
    return element("AdditionalValidationReportData", *told) if told else ""


def _status(indication: Answer, sub_indication: str, *data: str) -> str:
    return element(
        "SignatureValidationStatus",
        element("MainIndication", _MAIN[indication]),
        element("SubIndication", f"{_URN}subindication:{sub_indication}") if sub_indication else "",
        element("AssociatedValidationReportData", *data) if any(data) else "",
    )


def _text(name: str, value: str) -> str:
    return text(name, printable(value))
