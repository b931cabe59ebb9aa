"""ASiCManifest as other tools write it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from signing.asic import ASIC
from signing.unsigned import DS

ASIC_E = b"application/vnd.etsi.asic-e+zip"
ASIC_S = b"application/vnd.etsi.asic-s+zip"


def manifest(signature: str, files: Mapping[str, bytes]) -> bytes:
    """Return a manifest of `files` for the signature or time-stamp of that name."""
    references = "".join(
        f'<asic:DataObjectReference URI="{name}" MimeType="text/plain">'
        f'<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>'
        f"{base64.b64encode(hashlib.sha256(content).digest()).decode()}</ds:DigestValue>"
        "</asic:DataObjectReference>"
        for name, content in files.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<asic:ASiCManifest xmlns:asic="{ASIC}" '
        f'xmlns:ds="{DS}"><asic:SigReference URI="{signature}" '
        f'MimeType="application/pkcs7-signature"/>{references}</asic:ASiCManifest>'
    ).encode()
