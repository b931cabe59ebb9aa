"""Documents of a dossier: added by people, taken along by people."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from dossier.model import Actor
from exchange import attach
from exchange.errors import DocumentTooLarge
from portal.downloads import attachment
from portal.errors import FileMissing
from portal.pages import node_of

_KIND_LENGTH = 64


def add(request: HttpRequest, actor: Actor, dossier: UUID) -> HttpResponse:
    """Keep an uploaded file and go back to the dossier."""
    file = uploaded(request, "file")
    kept = attach.upload(
        node_of(request),
        actor,
        dossier,
        name=file.name or "",
        kind=request.POST.get("kind", "")[:_KIND_LENGTH],
        content=content_of(file, limit_bytes=node_of(request).settings.max_document_bytes),
    )
    messages.success(request, _("The document %(name)s was added.") % {"name": kept.name})
    return HttpResponseRedirect(f"/dossiers/{dossier}#documents")


def take(request: HttpRequest, actor: Actor, document: UUID) -> HttpResponse:
    """Send a document."""
    found, content = attach.read(node_of(request), actor, document)
    return attachment(found.name, content, media_type=found.media_type)


def uploaded(request: HttpRequest, field: str) -> UploadedFile[bytes]:
    """Return the file of a form field; raise `FileMissing` for none or an empty one."""
    file = request.FILES.get(field)
    if not isinstance(file, UploadedFile) or not file.size:
        raise FileMissing("expected a file")
    return file


def content_of(file: UploadedFile[bytes], *, limit_bytes: int) -> bytes:
    """Return the bytes of a file, which lies on disk until then; raise `DocumentTooLarge`."""
    if (file.size or 0) > limit_bytes:
        raise DocumentTooLarge("expected a smaller file", limit=limit_bytes // 1024**2)
    content: bytes = file.read()
    return content
