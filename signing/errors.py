"""What can go wrong in `signing`; the families are in `dossier.errors`."""

from __future__ import annotations

from dossier.errors import Conflict, Denied, Misconfigured, Rejected, Unavailable
from signing.judgement import Judgement


class DerRefused(Rejected):
    """The bytes are not the strict DER (X.690) that was expected."""

    code = "der_malformed"


class CertificateRefused(Rejected):
    """The bytes are not a certificate that can be used here."""

    code = "certificate_malformed"


class RevocationRefused(Rejected):
    """The bytes are not a CRL or OCSP response that can be read."""

    code = "revocation_malformed"


class KeyUnusable(Misconfigured):
    """The private key cannot be read, is too weak, or does not belong to the certificate."""

    code = "key_unusable"


class TimestampKeyRefused(Misconfigured):
    """A time-stamping authority of ours was given a key whose tokens others cannot verify."""

    code = "timestamp_key_refused"


class TokenUnusable(Misconfigured):
    """The PKCS#11 token, its module or its key cannot be used; parameter `reason` names which."""

    code = "token_unusable"


class PinRefused(Denied):
    """The PIN or password does not open the private key."""

    code = "pin_refused"


class AlgorithmRefused(Rejected):
    """The algorithm is not in the allow-list."""

    code = "algorithm_refused"


class PolicyRefused(Misconfigured):
    """The verification policy cannot be read, or is laxer than it may be; see `reason`."""

    code = "policy_refused"


class PdfRefused(Rejected):
    """The PDF cannot be read, or is of a kind that is not supported: parameter `reason`."""

    code = "pdf_refused"


class ZipRefused(Rejected):
    """The ZIP breaks a rule of `docs/formats/container.md`; parameter `reason` names it."""

    code = "zip_malformed"


class FileNameRefused(Rejected):
    """A file name is unsafe or collides with another one."""

    code = "file_name_refused"


class ContainerRefused(Rejected):
    """The parts given cannot make a container."""

    code = "container_parts_refused"


class SignatureMalformed(Rejected):
    """The signature document is not of the shape that the format demands."""

    code = "signature_malformed"


class DocumentNotCanonical(Rejected):
    """The XML to be signed is not its own exclusive canonical form."""

    code = "document_not_canonical"


class ExternalSignatureRefused(Rejected):
    """The value that came from outside is no signature over what was prepared."""

    code = "external_signature_refused"


class EvidenceRecordMalformed(Rejected):
    """The bytes are not an evidence record that can be read, or no record can be made."""

    code = "evidence_record_malformed"


class TrustListMalformed(Rejected):
    """The verified document is not a trust list that can be read."""

    code = "trust_list_malformed"


class TimestampMalformed(Rejected):
    """The bytes are not a time-stamp token, request or response that can be read."""

    code = "timestamp_malformed"


class TimestampUnavailable(Unavailable):
    """The time-stamping authority gave no token."""

    code = "timestamp_unavailable"


class ContentChanged(Conflict):
    """A mapped file changed on disk after it was verified."""

    code = "content_changed"


class VerificationFailed(Rejected):
    """The judgement is TOTAL-FAILED; it is carried as `judgement`."""

    code = "verification_failed"

    def __init__(self, judgement: Judgement) -> None:
        """Carry the judgement and put its words into the message."""
        message, parameters = _words(judgement)
        super().__init__(message, **parameters)
        self.judgement = judgement


class VerificationIndeterminate(Rejected):
    """The judgement is INDETERMINATE and waiting will not help; carried as `judgement`."""

    code = "verification_indeterminate"

    def __init__(self, judgement: Judgement) -> None:
        """Carry the judgement and put its words into the message."""
        message, parameters = _words(judgement)
        super().__init__(message, **parameters)
        self.judgement = judgement


class VerificationPending(Unavailable):
    """The judgement is INDETERMINATE TRY_LATER: revocation data is missing or stale."""

    code = "verification_pending"

    def __init__(self, judgement: Judgement) -> None:
        """Carry the judgement and put its words into the message."""
        message, parameters = _words(judgement)
        super().__init__(message, **parameters)
        self.judgement = judgement


def _words(judgement: Judgement) -> tuple[str, dict[str, str]]:
    sub = judgement.sub_indication.value if judgement.sub_indication else ""
    reasons = [*judgement.reasons]
    for signature in judgement.signatures:
        reasons += signature.reasons
    codes = ", ".join(reason.code for reason in reasons)
    message = f"expected TOTAL-PASSED, got {judgement.indication.value} {sub} ({codes})"
    return message, {"sub_indication": sub, "reasons": codes}
