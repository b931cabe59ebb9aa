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
from exchange.wiring import node
from portal.downloads import attachment
from portal.errors import FileMissing


def add(request: HttpRequest, actor: Actor, dossier: UUID) -> HttpResponse:
    """Keep an uploaded file and go back to the dossier."""
    kept = attach.upload(
        node(),
        actor,
        dossier,
        name=uploaded(request, "file").name or "",
        kind=request.POST.get("kind", "")[:64],
        content=content_of(uploaded(request, "file")),
    )
    messages.success(request, _("The document %(name)s was added.") % {"name": kept.name})
    return HttpResponseRedirect(f"/dossiers/{dossier}#documents")


def take(request: HttpRequest, actor: Actor, document: UUID) -> HttpResponse:
    """Send a document."""
    found, content = attach.read(node(), actor, document)
    return attachment(found.name, content, media_type=found.media_type)


def uploaded(request: HttpRequest, field: str) -> UploadedFile[bytes]:
    """Return the file of a form field; raise `FileMissing` for none or an empty one."""
    file = request.FILES.get(field)
    if not isinstance(file, UploadedFile) or not file.size:
        raise FileMissing("expected a file")
    return file


def content_of(file: UploadedFile[bytes], *, limit_bytes: int | None = None) -> bytes:
    """Return the bytes of a file whose size is within the limit, by default that of documents."""
    limit = limit_bytes or node().settings.max_document_bytes
    if (file.size or 0) > limit:
        raise DocumentTooLarge("expected a smaller file", limit=limit // 1024**2)
    content: bytes = file.read()
    return content
