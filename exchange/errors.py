"""What can go wrong in a use case; the receiving checks of protocol §4 keep their order here."""

from __future__ import annotations

from dossier.errors import Conflict, Denied, Misconfigured, Rejected, Unavailable

# --- Receiving: numbers are those of protocol §4 -----------------------------------------------


class HintsDiffer(Rejected):
    """1: a field announced beside the container differs from its envelope."""

    code = "hints_differ"


class ContainerTooLarge(Rejected):
    """2: the announced or the actual size passes the limit."""

    code = "container_too_large"


class ContainerDigestMismatch(Rejected):
    """3: digest or size of the bytes received are not those announced."""

    code = "container_digest_mismatch"


class ContainerRefused(Rejected):
    """4: not a container whose signatures all pass."""

    code = "container_refused"


class LevelTooLow(Rejected):
    """4: the seal carries no time-stamp (level below B-T)."""

    code = "level_too_low"


class ManifestDiffers(Rejected):
    """4: the files of the container are not exactly those of the envelope's manifest."""

    code = "manifest_differs"


class SealNotBound(Rejected):
    """5: the directory does not bind the sealing certificate to From."""

    code = "seal_not_bound"


class AddresseeNotHosted(Rejected):
    """6: To has no place at this node."""

    code = "addressee_not_hosted"


class AccessDenied(Rejected):
    """7: no access rule lets From send this message type of this procedure to To."""

    code = "access_denied"


class ChannelDenied(Rejected):
    """7: the directory does not allow this channel for From."""

    code = "channel_denied"


class AssuranceTooLow(Rejected):
    """7: the message type demands a stronger proof than this channel gives."""

    code = "assurance_too_low"


class MessageExpired(Rejected):
    """8: received after its expiry."""

    code = "message_expired"


class TimestampInFuture(Rejected):
    """8: the sender's time-stamp is more than five minutes ahead."""

    code = "timestamp_in_future"


class ProcedureVersionUnknown(Rejected):
    """9: the contract digest is not one that this node runs."""

    code = "procedure_version_unknown"


class MessageTypeUnknown(Rejected):
    """9: the contract has no such message from From's pool to To's."""

    code = "message_type_unknown"


class PayloadRefused(Rejected):
    """9: the values that travel are not those that the contract declares."""

    code = "payload_refused"


class MessageIdReused(Rejected):
    """10: the id is taken by a message with other bytes."""

    code = "message_id_reused"


# --- Sending -----------------------------------------------------------------------------------


class ReceiptInvalid(Unavailable):
    """The partner's answer is no receipt that verifies for this message."""

    code = "receipt_invalid"


class PartnerUnknown(Rejected):
    """The directory has no agency in office for this code, or no endpoint for it."""

    code = "partner_unknown"


class SealMissing(Misconfigured):
    """This node holds no sealing key that the directory binds to the agency."""

    code = "seal_missing"


class DirectoryExpired(Unavailable):
    """The directory's validity has ended: nothing is sent until a new edition is imported."""

    code = "directory_expired"


# --- Directory ---------------------------------------------------------------------------------


class DirectoryMissing(Misconfigured):
    """No directory has been imported yet."""

    code = "directory_missing"


class DirectoryNotSealed(Rejected):
    """The directory's seal does not verify, or not with a directory key of the pinned anchor."""

    code = "directory_not_sealed"


class DirectoryRolledBack(Rejected):
    """The edition is not the successor of the one in force."""

    code = "directory_rolled_back"


class AnchorMismatch(Rejected):
    """The trust anchor is not the pinned one."""

    code = "anchor_mismatch"


# --- People and tasks --------------------------------------------------------------------------


class NotAllowed(Denied):
    """The person has no role that allows this."""

    code = "not_allowed"


class LoginRefused(Denied):
    """Name or password are wrong, or the account is disabled."""

    code = "login_refused"


class LoginThrottled(Denied):
    """Too many failed logins for this account or from this address."""

    code = "login_throttled"


class TaskTaken(Conflict):
    """Another person has claimed the task."""

    code = "task_taken"


class TaskClosed(Conflict):
    """The task was completed or withdrawn meanwhile."""

    code = "task_closed"


class DossierUnknown(Rejected):
    """No dossier of that code can be seen here."""

    code = "dossier_unknown"


class DocumentUnknown(Rejected):
    """No such document in the dossier."""

    code = "document_unknown"


class DocumentTooLarge(Rejected):
    """The file passes the limit for documents."""

    code = "document_too_large"


class DocumentMissing(Rejected):
    """The step demands a document that the dossier does not have."""

    code = "document_missing"


class AddresseeRefused(Rejected):
    """The agency cannot be the addressee of this procedure."""

    code = "addressee_refused"


class ProcedureUnknown(Rejected):
    """No such procedure, or none that this agency may open."""

    code = "procedure_unknown"


class SignatureKeyMissing(Misconfigured):
    """The person has no signing key on this node."""

    code = "signature_key_missing"


class ExportRefused(Conflict):
    """The evidence cannot be complete yet."""

    code = "export_refused"


class DocumentNameRefused(Rejected):
    """The file name cannot be used."""

    code = "document_name_refused"


class PasswordTooWeak(Rejected):
    """The password is too short."""

    code = "password_too_weak"


class ProcedureFolderRefused(Rejected):
    """The folder is no procedure folder."""

    code = "procedure_folder_refused"


class AnchorRefused(Rejected):
    """The anchor given is neither a certificate file nor a SHA-256 fingerprint."""

    code = "anchor_refused"


class RevocationFileRefused(Rejected):
    """The file given as a CRL or an OCSP response is none that can be used."""

    code = "revocation_file_refused"


class FileUnreadable(Rejected):
    """The file to be judged cannot be read."""

    code = "file_unreadable"


class LedgerRefused(Rejected):
    """The ledger of a bulk verification was begun under other trust, or is none."""

    code = "ledger_refused"


class SettingUnknown(Misconfigured):
    """A `LIENTHONG_*` name that nobody reads: most likely a typing error."""

    code = "setting_unknown"


class SettingRefused(Misconfigured):
    """The value of a setting does not have the form its kind demands."""

    code = "setting_refused"


class AnchorMissing(Misconfigured):
    """The trust folder holds no anchor."""

    code = "anchor_missing"


class NothingToResend(Conflict):
    """The message is not parked."""

    code = "nothing_to_resend"


class NothingToRetry(Conflict):
    """The incident is resolved, or belongs to no step that can be retried."""

    code = "nothing_to_retry"


class AttemptsExhausted(Rejected):
    """The message was claimed more often than the policy allows."""

    code = "attempts_exhausted"


class ExtraMissing(Misconfigured):
    """A setting asks for packages of an extra that are not installed."""

    code = "extra_missing"


class KeyFileMissing(Misconfigured):
    """A private key of this node or its certificate is not where it belongs, or not readable."""

    code = "key_file_missing"


class LogEmpty(Unavailable):
    """The log has no entry yet, so it has no head."""

    code = "log_empty"


class LogKeyDiffers(Misconfigured):
    """This machine holds another log key than the one that signs the node's log."""

    code = "log_key_differs"


class OcspIndexRefused(Misconfigured):
    """A line of the OCSP responder's index is not a serial number and maybe an instant."""

    code = "ocsp_index_refused"


class AbsenceRefused(Rejected):
    """A substitute must be another person, during a period."""

    code = "absence_refused"


class RequestSealRefused(Denied):
    """The request is not under a seal that the directory binds to an agency."""

    code = "request_seal_refused"


class SamePerson(Denied):
    """The one who proposed a version cannot confirm it."""

    code = "same_person"


class ProposalUnknown(Rejected):
    """There is no such proposal."""

    code = "proposal_unknown"


class ProposalClosed(Conflict):
    """The proposal has been confirmed or refused meanwhile."""

    code = "proposal_closed"


class AlreadyPublished(Rejected):
    """The version is published; a published version never changes."""

    code = "already_published"


class ReasonMissing(Rejected):
    """A refusal, a repair or a migration needs a reason that others can read later."""

    code = "reason_missing"


class RulePackUnknown(Rejected):
    """No rule pack of that version is published here."""

    code = "rule_pack_unknown"
