"""Where this node keeps its blobs: files, or the objects of an S3-compatible store."""

from __future__ import annotations

from urllib.parse import urlsplit

from exchange.errors import ExtraMissing, SettingRefused
from exchange.settings import Settings
from storage.blobfiles import BlobStore
from storage.blobs import Blobs


def blob_store(here: Settings) -> Blobs:
    """Return the blob store of these settings; raise `SettingRefused` or `ExtraMissing`."""
    if not here.blob_url:
        return BlobStore(here.blob_dir)
    try:
        # Its packages are installed only where such a store is used.
        from storage.s3 import Bucket, S3Blobs
    except ImportError as exc:
        raise ExtraMissing("expected the packages of an extra, got none", extra="s3") from exc
    parts = urlsplit(here.blob_url)
    given = {
        "BLOB_URL": parts.hostname or "",
        "BLOB_ENDPOINT": here.blob_endpoint,
        "BLOB_ACCESS_KEY": here.blob_access_key,
        "BLOB_SECRET_KEY": here.blob_secret_key,
    }
    for name, value in given.items():
        if not value:
            raise SettingRefused(
                f"expected a value in LIENTHONG_{name}, got none",
                name=f"LIENTHONG_{name}",
                expected="a value, because LIENTHONG_BLOB_URL is set",
            )
    prefix = parts.path.strip("/")
    return S3Blobs(
        Bucket(
            name=parts.netloc,
            prefix=f"{prefix}/" if prefix else "",
            endpoint=here.blob_endpoint,
            region=here.blob_region,
            access_key=here.blob_access_key,
            secret_key=here.blob_secret_key,
        )
    )
