"""Judging XAdES that other tools made: any of the usual canonicalisations, shapes and levels.

Slower and wider than `signing.judge`, by the same steps. What is not supported is said so and
never guessed. Our own profile is not welcome here: it is held to its one spelling.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Final

from lxml import etree

from dossier.calendar import HERE
from signing.algorithms import DIGEST_BY_URI
from signing.c14n import canonical
from signing.certificate import Certificate
from signing.decision import Claim, decide
from signing.errors import CertificateRefused, SignatureMalformed
from signing.foreignparts import (
    Parts,
    archive_stamps,
    has_old_archive,
    has_other_stamps,
    signature_stamps,
    values_of_parts,
)
from signing.indication import SubIndication
from signing.judge import Circumstances, judge_value, unreadable
from signing.judgement import (
    PASSED,
    SignatureVerdict,
    Verdict,
    failed,
    gravest,
    indeterminate,
    remark,
    unknown_algorithm,
)
from signing.policy import WEAK_ALGORITHMS, Trust
from signing.references import (
    MAX_REFERENCES,
    Resolved,
    Surroundings,
    one,
    resolve,
    text_of,
)
from signing.transforms import loose_base64, read_form
from signing.unsigned import DS, XADES, Values
from signing.xades import PROFILE, SIGNED_PROPERTIES

MAX_STAMPS: Final = 64
_PROPERTIES_TYPES: Final = (SIGNED_PROPERTIES, "http://uri.etsi.org/01903/v1.3.2#SignedProperties")


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreign:
    """The verdict on a foreign signature and the elements of its document that it covers."""

    verdict: SignatureVerdict
    covered: tuple[etree._Element, ...]
    whole: bool  # it covers the whole document around it
    octets: bytes | None  # canonical octets of the whole document, as they were digested
    named: tuple[str, ...]  # files that it references, whether they hold or not

    def with_verdict(self, verdict: Verdict) -> Foreign:
        """Return the same with another verdict."""
        return replace(
            self,
            verdict=replace(
                self.verdict,
                indication=verdict.indication,
                sub_indication=verdict.sub_indication,
                reasons=verdict.reasons,
            ),
        )


def signatures_in(root: etree._Element) -> list[etree._Element]:
    """Return the ds:Signature elements that do not stand inside another one."""
    name = f"{{{DS}}}Signature"
    return [
        element
        for element in root.iter(name)
        if not any(above.tag == name for above in element.iterancestors())
    ]


def judge_foreign(
    identity: str,
    element: etree._Element,
    *,
    surroundings: Surroundings,
    circumstances: Circumstances,
) -> Foreign:
    """Judge one foreign signature; never raises for bad content."""
    try:
        parts = _read(element, surroundings)
        verdict = _judge(identity, parts, circumstances)
    except SignatureMalformed as exc:
        problem = failed(
            SubIndication.FORMAT_FAILURE,
            "signature_unsupported",
            reason=str(exc.parameters.get("reason", "")),
            detail=exc.message[:200],
        )
        return Foreign(
            verdict=unreadable(identity, problem), covered=(), whole=False, octets=None, named=()
        )
    sound = [one for one in parts.references if one.verdict.is_passed]
    return Foreign(
        verdict=verdict,
        covered=tuple(one.target for one in sound if one.target is not None),
        whole=any(one.whole for one in sound),
        octets=next((bytes(one.octets) for one in sound if one.whole and one.octets), None),
        named=tuple(one.name for one in parts.references if one.name),
    )


def _read(element: etree._Element, surroundings: Surroundings) -> Parts:
    info = one(element, DS, "SignedInfo")
    method = one(info, DS, "SignatureMethod")
    references = info.findall(f"{{{DS}}}Reference")
    if len(method) or not 0 < len(references) <= MAX_REFERENCES:
        raise SignatureMalformed("expected references and a plain method", reason="shape")
    keys = element.findall(f"{{{DS}}}KeyInfo")
    qualifying = element.findall(f"{{{DS}}}Object/{{{XADES}}}QualifyingProperties")
    stamps = sum(1 for _ in element.iter(f"{{{XADES}}}EncapsulatedTimeStamp"))
    if stamps > MAX_STAMPS:
        raise SignatureMalformed(f"expected at most {MAX_STAMPS} time-stamps", reason="timestamp")
    if len(keys) > 1 or len(qualifying) > 1:
        raise SignatureMalformed("expected one KeyInfo and one set of properties", reason="shape")
    signed = qualifying[0].find(f"{{{XADES}}}SignedProperties") if qualifying else None
    resolved = tuple(resolve(one, element, surroundings) for one in references)
    if any(one.uri == f"#{PROFILE}" for one in resolved):
        raise SignatureMalformed("expected our profile in its one spelling", reason="profile")
    _check_properties(resolved, signed)
    return Parts(
        element=element,
        info=info,
        references=resolved,
        algorithm=method.get("Algorithm", ""),
        value_element=one(element, DS, "SignatureValue"),
        key=keys[0] if keys else None,
        qualifying=qualifying[0] if qualifying else None,
        signed=signed,
        unsigned=tuple(_unsigned(qualifying[0])) if qualifying else (),
    )


def _check_properties(references: Sequence[Resolved], signed: etree._Element | None) -> None:
    """Row 3: at least one reference to data, and exactly one to the signed properties."""
    typed = [one for one in references if one.type in _PROPERTIES_TYPES]
    covering = [one for one in references if signed is not None and one.target is signed]
    if signed is not None and (len(covering) != 1 or any(one not in covering for one in typed)):
        raise SignatureMalformed("expected one reference to SignedProperties", reason="properties")
    if len(covering) == len(references):
        raise SignatureMalformed("expected a reference to data, got none", reason="references")


def _unsigned(qualifying: etree._Element) -> Iterator[etree._Element]:
    path = f"{{{XADES}}}UnsignedProperties/{{{XADES}}}UnsignedSignatureProperties/*"
    for found in qualifying.iterfind(path):
        if isinstance(found.tag, str):
            yield found


def _judge(identity: str, parts: Parts, circumstances: Circumstances) -> SignatureVerdict:
    # 1. Signing certificate.
    values = values_of_parts(parts)
    trust = circumstances.trust.extended(values)
    certificate = _signing_certificate(parts, values, trust)
    # 2. Cryptography.
    value = PASSED
    if isinstance(certificate, Certificate):
        value = _judge_value(parts, certificate)
    # 3. to 5. are those of every format.
    claim = Claim(
        certificate=certificate,
        value=value,
        data=gravest(*(one.verdict for one in parts.references)),
        remarks=_remarks(parts),
        stamps=tuple(signature_stamps(parts)),
        archives=tuple(archive_stamps(parts)),
        has_values=bool(values.crls or values.ocsps),
        archives_suffice=False,
        is_baseline=parts.signed is not None,
        algorithm=parts.algorithm,
        role=_role(parts),
        claimed_time=_claimed_time(parts),
        covers=tuple(_covers(parts)),
        commitments=tuple(_commitments(parts)),
        digests=tuple(dict.fromkeys(one.digest for one in parts.references)),
    )
    return decide(identity, claim, trust=trust, circumstances=circumstances)


def _judge_value(parts: Parts, certificate: Certificate) -> Verdict:
    return judge_value(
        parts.algorithm,
        certificate,
        signature=loose_base64(text_of(parts.value_element)),
        message=canonical(parts.info, read_form(one(parts.info, DS, "CanonicalizationMethod"))),
    )


def _remarks(parts: Parts) -> Verdict:
    return gravest(
        _judge_binding(parts),
        remark("archive_unsupported") if has_old_archive(parts) else PASSED,
        remark("timestamp_unsupported") if has_other_stamps(parts) else PASSED,
    )


def _judge_binding(parts: Parts) -> Verdict:
    if parts.qualifying is None and not _signs_key_info(parts):
        return remark("certificate_not_signed")
    digest = _certificate_digest(parts)
    if isinstance(digest, tuple) and digest[0] == "sha1":
        # It names a certificate that is signed beside it; nobody can make a second one for a
        # given digest. So it is told, and spoils nothing.
        return remark("weak_certificate_digest", algorithm="SHA-1")
    return PASSED


def _commitments(parts: Parts) -> Iterator[str]:
    """Yield the commitments by their last word; the identifiers are URIs (EN 319 132-1 §5.2.3)."""
    if parts.signed is not None:
        path = f"{{{XADES}}}CommitmentTypeId/{{{XADES}}}Identifier"
        for found in parts.signed.iter(f"{{{XADES}}}CommitmentTypeIndication"):
            yield text_of(found.find(path)).strip().rpartition("#")[2][:80]


def _covers(parts: Parts) -> Iterator[str]:
    own = (parts.signed, parts.key)
    for reference in parts.references:
        if reference.verdict.is_passed and (
            reference.target is None or reference.target not in own
        ):
            yield reference.name or reference.uri


def _signing_certificate(parts: Parts, values: Values, trust: Trust) -> Certificate | Verdict:
    """Return the certificate that a signed property binds, or a signed KeyInfo (row 6).

    Plain XML-DSig has neither: there KeyInfo is all there is, as in plain CMS.
    """
    if _signs_key_info(parts):
        bound = values.certificates[:1]
    elif parts.qualifying is None:
        return _named_certificate(parts, values, trust)
    else:
        digest = _certificate_digest(parts)
        if isinstance(digest, Verdict):
            return digest
        name, octets = digest
        bound = tuple(
            one
            for one in (*values.certificates, *trust.certificates)
            if hashlib.new(name, one, usedforsecurity=False).digest() == octets
        )
    if not bound:
        return indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_not_bound")
    try:
        return trust.certificate(bound[0])
    except CertificateRefused:
        return indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_unreadable")


def _signs_key_info(parts: Parts) -> bool:
    return any(one.target is parts.key is not None for one in parts.references)


def _named_certificate(parts: Parts, values: Values, trust: Trust) -> Certificate | Verdict:
    """Return the certificate of KeyInfo whose key made the value, else the first one there."""
    found: list[Certificate] = []
    for octets in values.certificates:
        with suppress(CertificateRefused):
            found.append(trust.certificate(octets))
    fitting = [one for one in found if _judge_value(parts, one).is_passed]
    if not found:
        return indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_absent")
    return (fitting or found)[0]


def _certificate_digest(parts: Parts) -> tuple[str, bytes] | Verdict:
    """Return hash name and digest of the first certificate of SigningCertificate (V2)."""
    missing = indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_not_bound")
    if parts.signed is None:
        return missing
    path = f"{{{XADES}}}SignedSignatureProperties/{{{XADES}}}"
    found = parts.signed.find(f"{path}SigningCertificateV2")
    if found is None:
        found = parts.signed.find(f"{path}SigningCertificate")
    certificates = () if found is None else found.findall(f"{{{XADES}}}Cert")
    if not certificates:
        return missing
    digest = one(certificates[0], XADES, "CertDigest")
    algorithm = one(digest, DS, "DigestMethod").get("Algorithm", "")
    if algorithm in WEAK_ALGORITHMS:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, "weak_algorithm", algorithm=algorithm
        )
    if algorithm not in DIGEST_BY_URI:
        return unknown_algorithm(algorithm)
    return DIGEST_BY_URI[algorithm], loose_base64(text_of(one(digest, DS, "DigestValue")))


def _role(parts: Parts) -> str | None:
    if parts.signed is None:
        return None
    roles = [text_of(found) for found in parts.signed.iter(f"{{{XADES}}}ClaimedRole")]
    return ", ".join(roles)[:500] or None


def _claimed_time(parts: Parts) -> datetime | None:
    if parts.signed is None:
        return _stated_time(parts)
    path = f"{{{XADES}}}SignedSignatureProperties/{{{XADES}}}SigningTime"
    return _instant(text_of(parts.signed.find(path)), UTC)


def _stated_time(parts: Parts) -> datetime | None:
    """Return the signed SigningTime of plain XML-DSig, which e-invoices of Vietnam have.

    They write it without a time zone, in legal time.
    """
    for reference in parts.references:
        target = reference.target
        if target is None or target.getparent() is not parts.element:
            continue
        for found in target.iter("{*}SigningTime"):
            return _instant(text_of(found), HERE)
    return None


def _instant(text: str, zone: tzinfo) -> datetime | None:
    try:
        claimed = datetime.fromisoformat(text.strip())
        return (claimed if claimed.tzinfo else claimed.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
