"""What can go wrong between an envelope and the wire; the families say what the caller does."""

from __future__ import annotations

from dossier.errors import Denied, LienThongError, Misconfigured, Rejected, Unavailable


class HttpRefused(Rejected):
    """The HTTP request is not one this endpoint answers: method, media type or encoding."""

    code = "http_refused"


class MethodNotAllowed(HttpRefused):
    """The endpoint takes POST, and GET for its WSDL."""

    code = "method_not_allowed"


class MediaTypeRefused(HttpRefused):
    """The Content-Type is neither SOAP nor multipart/related, or names a foreign charset."""

    code = "media_type_refused"


class EncodingRefused(HttpRefused):
    """The body is compressed: sizes could not be judged before unpacking it."""

    code = "content_encoding_refused"


class BodyTooLarge(HttpRefused):
    """The body or one of its parts passes a cap or the announced size."""

    code = "body_too_large"


class BodyTruncated(HttpRefused):
    """The body ended before its framing said so."""

    code = "body_truncated"


class BodyTooSlow(HttpRefused):
    """The body did not arrive within its deadline or below the minimum rate."""

    code = "body_too_slow"


class MultipartRefused(HttpRefused):
    """The multipart/related body breaks RFC 2046, RFC 2387 or a cap."""

    code = "multipart_refused"


class SoapRefused(Rejected):
    """The SOAP envelope is not exactly a header and a body with one operation."""

    code = "soap_refused"


class SoapVersionMismatch(SoapRefused):
    """The envelope's version is unknown or contradicts the Content-Type."""

    code = "soap_version_mismatch"


class SoapHeaderNotUnderstood(SoapRefused):
    """A header block demands to be understood and is not."""

    code = "soap_header_not_understood"


class SoapActionMismatch(SoapRefused):
    """SOAPAction names another operation than the body."""

    code = "soap_action_mismatch"


class OperationUnknown(SoapRefused):
    """The body's child is no operation of the WSDL."""

    code = "operation_unknown"


class OperationNotOffered(SoapRefused):
    """The operation is in the WSDL, but this node has nobody who may fetch from it."""

    code = "operation_not_offered"


class SchemaRefused(SoapRefused):
    """The operation's element breaks the schema of the WSDL."""

    code = "schema_refused"


class XopRefused(SoapRefused):
    """An xop:Include is misplaced, or what it names is not there."""

    code = "xop_refused"


class InlineTooLarge(SoapRefused):
    """The container came as text and is too large for it; MTOM takes it."""

    code = "inline_too_large"


class XRoadRefused(SoapRefused):
    """The X-Road headers break the message protocol, or a reply does not repeat them."""

    code = "xroad_refused"


class SizeMismatch(Rejected):
    """The container has not the size that was announced."""

    code = "size_mismatch"


class DigestMismatch(Rejected):
    """The container has not the digest that was announced."""

    code = "digest_mismatch"


class PartnerRefused(Rejected):
    """The partner answered with a fault that no retry can change."""

    code = "partner_refused"


class EndpointForbidden(Rejected):
    """The address is not http(s), or its host is not on the list of hosts that may be called."""

    code = "endpoint_forbidden"


class PartnerUnavailable(Unavailable):
    """The partner cannot be reached, is busy, or answered what is no answer: send it again."""

    code = "partner_unavailable"


class PartnerAnswerRefused(PartnerUnavailable):
    """The partner answered something that is not the reply of the operation."""

    code = "partner_answer_refused"


class WsdlBroken(Misconfigured):
    """The WSDL that ships with the package cannot be used."""

    code = "wsdl_broken"


class InternalFault(LienThongError):
    """Something of ours broke; the log says what, the caller learns nothing."""

    code = "internal"


class RequestMalformed(Rejected):
    """The request is not exactly what `docs/formats/request.md` describes."""

    code = "request_malformed"


class RequestNotForUs(Denied):
    """The sealed request is meant for another operation or another node."""

    code = "request_not_for_us"


class RequestNotOwn(Denied):
    """The request names another agency than the one whose seal it carries."""

    code = "request_not_own"


class RequestExpired(Denied):
    """The request is too old, from the future, or valid for too long."""

    code = "request_expired"


class RequestReplayed(Denied):
    """A request with this nonce was answered before."""

    code = "request_replayed"


class MessageUnknown(Rejected):
    """There is no such message for the agency that asks, whoever else may have one."""

    code = "message_unknown"


class EdxmlRefused(Rejected):
    """The file is no edXML of a dialect that is read here, beyond what may be repaired."""

    code = "edxml_refused"


class EdxmlIncomplete(Rejected):
    """A field that peers demand is missing, or an addressee is named twice."""

    code = "edxml_incomplete"


class EdxmlFieldTooLong(Rejected):
    """A field is longer than deployed peers accept."""

    code = "edxml_field_too_long"


class EdxmlTextRefused(Rejected):
    """A field holds characters that no XML can carry."""

    code = "edxml_text_refused"


class EdxmlCallRefused(Rejected):
    """A peer of dialect A answered with a report of errors."""

    code = "edxml_call_refused"


class EdxmlTokenRefused(Denied):
    """The token of a dialect A call is not the organ's."""

    code = "edxml_token_refused"


class AxisRefused(Rejected):
    """The document axis answered with an error code."""

    code = "axis_refused"


class AxisSignatureRefused(Denied):
    """The signed headers of a call to the axis are not what was sent, or not of now."""

    code = "axis_signature_refused"


class PortalRefused(Rejected):
    """The national portal answered with an error code."""

    code = "portal_refused"


class PortalLoginRefused(PortalRefused):
    """The national portal did not let this node in: no dossier would fare better."""

    code = "portal_login_refused"


class PortalCodeMissing(Misconfigured):
    """A value has no code in the connector's configuration: codes differ between portals."""

    code = "portal_code_missing"


class ContainerUnreadable(Rejected):
    """A file in a drop folder is no container, or no receipt of an offered message."""

    code = "container_unreadable"


class DropUnavailable(Unavailable):
    """A drop folder cannot be read or written."""

    code = "drop_unavailable"


class WsSecurityRefused(Denied):
    """The Security header does not prove that the caller signed this very message now."""

    code = "ws_security_refused"


class WebhookRefused(Rejected):
    """The receiver of a notification will not take it, however often it is sent."""

    code = "webhook_refused"


class WebhookSignatureRefused(Denied):
    """A notification is not signed with the shared secret, or not of now."""

    code = "webhook_signature_refused"


class ForeignCallMalformed(Misconfigured):
    """The configuration of a foreign call cannot be used."""

    code = "foreign_call_malformed"


class ForeignCallUnknown(Misconfigured):
    """A procedure names a call that is not configured."""

    code = "foreign_call_unknown"


class ForeignInputsRefused(Rejected):
    """The values do not fit what the foreign WSDL describes."""

    code = "foreign_inputs_refused"


class ForeignCallRefused(Rejected):
    """The foreign system answered with an error that is no business error."""

    code = "foreign_call_refused"
