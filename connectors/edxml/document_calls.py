"""The eight operations of dialect A: what is asked, what is answered (interchange.md §3.1).

Replies are read by local names wherever they stand: deployed servers wrap them differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lxml import etree

from connectors.edxml import dialect_a, structures
from connectors.edxml.model import Organ, StatusHeader
from connectors.errors import EdxmlFieldTooLong, EdxmlIncomplete, EdxmlRefused
from dossier import xmltext
from dossier.errors import LienThongError

_PREFIX: Final = "edXML:"


class DocumentOperation(Enum):
    """An operation; its value is the SOAPAction."""

    SEND = "SendDocument"
    PENDING = "GetPendingDocumentIds"
    FETCH = "GetDocument"
    CONFIRM = "ConfirmReceived"
    TRACES = "GetTraces"
    UPDATE = "UpdateTraces"
    PERMISSION = "CheckPermission"
    ORGANS = "GetOrganizations"

    @property
    def request(self) -> str:
        """The element in the body of its request."""
        return _REQUESTS.get(self, self.value)


_REQUESTS: Final = {
    DocumentOperation.SEND: "Manifest",
    DocumentOperation.PENDING: "GetPendingDocumentIdsRequest",
    DocumentOperation.FETCH: "GetDocumentRequest",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportedError:
    """What a peer complains of: N null, R range, M mismatch, T type, then a path of its own."""

    code: str
    description: str = ""


def operation_of(content: etree._Element | None, *, action: str) -> DocumentOperation:
    """Return the operation that the body asks for.

    Raises `EdxmlRefused` for an unknown one, and where the SOAPAction says another.
    """
    asked = structures.local_name(content) if content is not None else ""
    known = {name: one for one in DocumentOperation for name in (one.request, one.value)}
    operation = known.get(asked)
    if operation is None:
        raise EdxmlRefused("expected one of the eight operations", reason="operation")
    said = action.strip().strip('"')
    if said and said.rpartition("/")[2] != operation.value:
        raise EdxmlRefused("expected the SOAPAction of the body", reason="action")
    return operation


def write_request(
    operation: DocumentOperation, *, token: str, organ_id: str, document_id: str = ""
) -> bytes:
    """Return the envelope of an operation that carries no letter."""
    fields = [xmltext.text("Token", token), xmltext.text("OrganId", organ_id)]
    if document_id:
        fields.append(xmltext.text("DocumentId", document_id))
    return dialect_a.write_envelope(xmltext.element(operation.request, *fields), token=token)


def write_reply(operation: DocumentOperation, content: str) -> bytes:
    """Return the envelope of a reply around markup in the prefix `edXML`."""
    return dialect_a.write_envelope(xmltext.element(f"{_PREFIX}{operation.value}Response", content))


def report(errors: Sequence[ReportedError] = ()) -> str:
    """Return the markup that tells success, or what is wrong."""
    listed = "".join(
        xmltext.element(
            f"{_PREFIX}Error",
            xmltext.text(f"{_PREFIX}Code", error.code),
            xmltext.text(f"{_PREFIX}Description", error.description),
        )
        for error in errors
    )
    return xmltext.element(
        f"{_PREFIX}Report",
        xmltext.text(f"{_PREFIX}IsSuccess", "false" if errors else "true"),
        xmltext.element(f"{_PREFIX}ErrorList", listed),
    )


def document_ids(found: Sequence[str]) -> str:
    """Return the markup of a list of documents."""
    ids = (xmltext.text(f"{_PREFIX}DocumentId", one) for one in found)
    return xmltext.element(f"{_PREFIX}DocumentIds", *ids)


def organizations(organs: Sequence[Organ]) -> str:
    """Return the markup of a list of organs."""
    listed = (
        xmltext.element(f"{_PREFIX}Organization", structures.write(one, prefix=_PREFIX))
        for one in organs
    )
    return xmltext.element(f"{_PREFIX}Organizations", *listed)


def traces(statuses: Sequence[StatusHeader]) -> str:
    """Return the markup of a list of statuses."""
    return xmltext.element(f"{_PREFIX}Traces", *map(dialect_a.write_status, statuses))


def read_errors(root: etree._Element) -> tuple[ReportedError, ...]:
    """Return the errors of a reply's report; none where it tells success or has no report."""
    success = _first(root, "IsSuccess")
    if structures.text_of(success).lower() in ("", "true", "1"):
        return ()
    found = tuple(
        ReportedError(
            code=structures.text_of(structures.child(node, "Code")),
            description=structures.text_of(structures.child(node, "Description")),
        )
        for node in _every(root, "Error")
    )
    return found or (ReportedError(code="M"),)


def read_document_ids(root: etree._Element) -> tuple[str, ...]:
    """Return the ids in a reply, each once."""
    texts = (structures.text_of(node) for node in _every(root, "DocumentId"))
    return tuple(dict.fromkeys(text for text in texts if text))


def read_organizations(root: etree._Element) -> tuple[Organ, ...]:
    """Return the organs in a reply; children that nobody knows are passed over."""
    return tuple(structures.read(node, Organ) for node in _every(root, "Organization"))


def read_traces(root: etree._Element) -> tuple[StatusHeader, ...]:
    """Return the statuses in a reply, whatever the element around each is called."""
    codes = _every(root, "StatusCode")
    holders = (code.getparent() for code in codes)
    return tuple(dialect_a.read_status(node) for node in holders if node is not None)


def reported(error: LienThongError, *, operation: str, description: str) -> ReportedError:
    """Return one of our errors as deployed peers name theirs."""
    element = str(error.parameters.get("element", "")).replace("/", ".")
    match error:
        case EdxmlIncomplete():
            code = f"N.MessageHeader.{element}"
        case EdxmlFieldTooLong():
            code = f"R.MessageHeader.{element}"
        case EdxmlRefused():
            code = f"T.{operation}"
        case _:
            code = f"M.{operation}"
    return ReportedError(code=code, description=description)


def _first(root: etree._Element, name: str) -> etree._Element | None:
    return next(iter(_every(root, name)), None)


def _every(root: etree._Element, name: str) -> list[etree._Element]:
    return [node for node in root.iter(etree.Element) if structures.local_name(node) == name]
