"""Write dialect B in the documented order, with the prefixes that deployed peers look for.

Built as text: the default namespace and the prefix edXML have one URI, and lxml loses the prefix
when such subtrees are put together (interchange.md §3.7).
"""

from __future__ import annotations

import base64
from typing import Final

from connectors.edxml import attachments, structures
from connectors.edxml.model import NAMESPACE, Attachment, EdxmlFile, MessageHeader
from connectors.errors import EdxmlIncomplete
from dossier import xmltext

_PREFIX: Final = "edXML:"
_DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_ZIP_TYPE: Final = "application/zip"


def write_edxml(file: EdxmlFile) -> bytes:
    """Return the file; each attachment's `content` travels as a ZIP of one entry.

    Raises `EdxmlIncomplete` and `EdxmlFieldTooLong` for what deployed peers refuse.
    """
    check_complete(file)
    header = xmltext.element(
        f"{_PREFIX}edXMLHeader",
        xmltext.element(f"{_PREFIX}MessageHeader", structures.write(file.header, prefix=_PREFIX)),
        xmltext.element(f"{_PREFIX}TraceHeaderList", structures.write(file.trace, prefix=_PREFIX)),
    )
    body = _manifest(file) if isinstance(file.header, MessageHeader) else ""
    envelope = (
        f'<{_PREFIX}edXMLEnvelope xmlns:edXML="{NAMESPACE}">{header}{body}</{_PREFIX}edXMLEnvelope>'
    )
    encoded = "".join(
        _encoded(attachment, number) for number, attachment in enumerate(file.attachments, 1)
    )
    files = xmltext.element("AttachmentEncoded", encoded) if encoded else ""
    return f'{_DECLARATION}<edXML xmlns="{NAMESPACE}">{envelope}{files}</edXML>'.encode()


def check_complete(file: EdxmlFile) -> None:
    """Raise `EdxmlIncomplete` for what deployed peers of either dialect refuse."""
    header = file.header
    if file.report:
        raise EdxmlIncomplete(
            "expected a letter or a status: reports are read only", element="Body"
        )
    missing = [] if header.sender.organ_id else ["From/OrganId"]
    if isinstance(header, MessageHeader):
        needed = {"To": header.to, "DocumentId": header.document_id, "Subject": header.subject}
        missing += [name for name, value in needed.items() if not value]
        addressees = [organ.organ_id.casefold() for organ in header.to]
        if "" in addressees or len(set(addressees)) != len(addressees):
            missing.append("To/OrganId")
    else:
        needed_text = {
            "StatusCode": header.status_code,
            "ResponseFor/DocumentId": header.response_for.document_id,
            "Timestamp": header.timestamp,
        }
        missing += [name for name, value in needed_text.items() if not value]
    if missing:
        raise EdxmlIncomplete(f"expected {missing[0]}, once each", element=missing[0])


def _manifest(file: EdxmlFile) -> str:
    t = xmltext.text
    references = "".join(
        xmltext.element(
            f"{_PREFIX}Reference",
            t(f"{_PREFIX}ContentId", _content_id(number)),
            t(f"{_PREFIX}ContentType", _ZIP_TYPE),
            t(f"{_PREFIX}Description", attachment.description),
            t(f"{_PREFIX}AttachmentName", attachment.name),
        )
        for number, attachment in enumerate(file.attachments, 1)
    )
    manifest = xmltext.element(f"{_PREFIX}edXMLManifest", references, version="1.0")
    return xmltext.element(f"{_PREFIX}edXMLBody", manifest)


def _encoded(attachment: Attachment, number: int) -> str:
    if attachment.content is None:
        raise EdxmlIncomplete("expected the content of every attachment", element="Attachment")
    packed = attachments.pack(attachment.name, attachment.content)
    t = xmltext.text
    return xmltext.element(
        "Attachment",
        t("ContentId", _content_id(number)),
        t("AttachmentName", attachment.name),
        t("Description", attachment.description),
        t("ContentType", _ZIP_TYPE),
        f'<{_PREFIX}ContentTransferEncoded xmlns:edXML="{NAMESPACE}">'
        f"{base64.b64encode(packed).decode()}</{_PREFIX}ContentTransferEncoded>",
    )


def _content_id(number: int) -> str:
    return f"cid:{number}"
