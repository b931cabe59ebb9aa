"""Blobs as objects of an S3-compatible store: the same promises as files, over the network.

An object is written with `If-None-Match: *`, so that what is there is never replaced by a race.
Nothing is read from the environment or from files of other tools; every call has a timeout. Bytes
are signed with their SHA-256 also under TLS: the store refuses what changed on the way.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dossier.errors import IdentifierRefused
from dossier.ids import Sha256, parse_sha256
from storage.blobs import (
    CHUNK_BYTES,
    IN_MEMORY_BYTES,
    PLAIN,
    Content,
    Given,
    copy_checked,
    corrupt,
    missing,
    opened,
    settle,
)
from storage.errors import BlobStoreRefused, StorageUnavailable

_CONNECT_SECONDS: Final = 3
_SILENCE_SECONDS: Final = 20
_ATTEMPTS: Final = 3
# Well below half of the shortest grace of `storage.orphans`: younger bytes are in nobody's way.
_YOUNG: Final = timedelta(minutes=15)
_ABSENT: Final = ("404", "NoSuchKey", "NotFound")
_EXISTS: Final = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")
_REFUSED: Final = (
    *("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket"),
    *("InvalidBucketName", "AuthorizationHeaderMalformed", "PermanentRedirect", "301"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """Where the objects are, and who we are there."""

    name: str
    prefix: str  # of every key; empty or ending with a slash
    endpoint: str  # URL of the store
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


class S3Blobs:
    """Blobs as objects of one bucket; fits `storage.blobs.Blobs`; for several threads."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._made: tuple[int, Any] = (0, None)

    @property
    def _client(self) -> Any:  # noqa: ANN401 - made at run time from the service's description
        # One per process: parent and child of a fork would share its connections.
        if self._made[0] != os.getpid():
            self._made = (os.getpid(), _client(self._bucket))
        return self._made[1]

    def put(self, content: bytes) -> Sha256:
        """Store bytes and return their digest; the same bytes again cost one look-up."""
        digest = Sha256(hashlib.sha256(content).hexdigest())
        self._store(digest, PLAIN + content)
        return digest

    def put_file(self, source: Path) -> Sha256:
        """Store a file's bytes and return the digest of what was stored."""
        return self._put_stream(source)

    def put_all(self, contents: Iterable[Content]) -> tuple[Sha256, ...]:
        """Store several and return their digests, in the same order."""
        return tuple(
            self.put(one) if isinstance(one, bytes) else self._put_stream(one) for one in contents
        )

    def _put_stream(self, content: Path | Callable[[], BinaryIO] | Given) -> Sha256:
        hasher = hashlib.sha256()
        with opened(content) as given, _room() as body:
            body.write(PLAIN)
            while chunk := given.read(CHUNK_BYTES):
                hasher.update(chunk)
                body.write(chunk)
            digest = Sha256(hasher.hexdigest())
            self._store(digest, body)
        return digest

    def open(self, sha256: str) -> BinaryIO:
        """Return a stream of the verified bytes; raise `BlobMissing` or `BlobCorrupt`."""
        with self._stored(sha256) as content, contextlib.ExitStack() as unless_kept:
            checked = unless_kept.enter_context(_room())
            copy_checked(content, checked, sha256)
            checked.seek(0)
            unless_kept.pop_all()
        return checked

    def read(self, sha256: str) -> bytes:
        """Return all bytes of a digest; raise `BlobMissing` or `BlobCorrupt`."""
        with self._stored(sha256) as stored:
            content = stored.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise corrupt(sha256)
        return content

    def export(self, sha256: str, target: Path) -> None:
        """Write the verified bytes to a new file; nothing is left there when they are not."""
        with self._stored(sha256) as content, target.open("xb") as out:
            try:
                copy_checked(content, out, sha256)
            except BaseException:
                target.unlink(missing_ok=True)
                raise

    def has(self, sha256: str) -> bool:
        """Tell whether the digest is stored."""
        return self._head(self._key(sha256)) is not None

    def size(self, sha256: str) -> int:
        """Return the number of bytes of a digest; raise `BlobMissing`."""
        return int(self._found(sha256)["ContentLength"]) - len(PLAIN)

    def stored_at(self, sha256: str) -> datetime:
        """Return when the bytes were stored last; raise `BlobMissing`."""
        return _instant(self._found(sha256)["LastModified"])

    def digests(self) -> Iterator[Sha256]:
        """Yield every stored digest, in order."""
        for key, _ in self._keys("sha256/"):
            # Whatever else lies in the bucket is not ours.
            with contextlib.suppress(IdentifierRefused):
                yield parse_sha256(key)

    def condemned(self) -> Iterator[tuple[Sha256, datetime]]:
        """Yield what is being removed, and since when."""
        for key, since in self._keys("condemned/"):
            with contextlib.suppress(IdentifierRefused):
                yield parse_sha256(key), since

    def condemn(self, sha256: str) -> bool:
        """Announce that a digest will be removed; False when somebody else has done so."""
        return self._create(self._mark(sha256), b"")

    def acquit(self, sha256: str) -> None:
        """Take the announcement back."""
        self._delete(self._mark(sha256))

    def remove(self, sha256: str) -> None:
        """Forget a condemned digest."""
        self._delete(self._key(sha256))

    # --- Objects -------------------------------------------------------------------------------

    def _store(self, digest: Sha256, body: bytes | BinaryIO) -> None:
        key = self._key(digest)
        head = self._head(key)
        if head is not None and _age(head) < _YOUNG:
            return
        # A new object needs no more looks: whoever was removing the old one is done with it.
        if head is None and self._create(key, body):
            return
        self._write(key, body)
        settle(self, digest, lambda: self._write(key, body), is_condemned=self._is_condemned)

    def _is_condemned(self, sha256: str) -> bool:
        return self._head(self._mark(sha256)) is not None

    def _create(self, key: str, body: bytes | BinaryIO) -> bool:
        try:
            self._write(key, body, IfNoneMatch="*")
        except _Exists:
            return False
        return True

    def _write(self, key: str, body: bytes | BinaryIO, **condition: str) -> None:
        if not isinstance(body, bytes):
            body.seek(0)
        with self._translated():
            self._client.put_object(Bucket=self._bucket.name, Key=key, Body=body, **condition)

    def _delete(self, key: str) -> None:
        with self._translated():
            self._client.delete_object(Bucket=self._bucket.name, Key=key)

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            with self._translated():
                found = self._client.head_object(Bucket=self._bucket.name, Key=key)
        except _Absent:
            return None
        return cast("dict[str, Any]", found)

    def _found(self, sha256: str) -> dict[str, Any]:
        head = self._head(self._key(sha256))
        if head is None:
            raise missing(sha256)
        return head

    @contextlib.contextmanager
    def _stored(self, sha256: str) -> Iterator[BinaryIO]:
        try:
            with self._translated():
                answer = self._client.get_object(Bucket=self._bucket.name, Key=self._key(sha256))
        except _Absent as exc:
            raise missing(sha256) from exc
        with contextlib.closing(answer["Body"]) as body, self._translated():
            if body.read(len(PLAIN)) != PLAIN:
                raise corrupt(sha256)
            yield body

    def _keys(self, folder: str) -> Iterator[tuple[str, datetime]]:
        prefix = self._bucket.prefix + folder
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket.name, Prefix=prefix
        )
        with self._translated():
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(prefix), _instant(entry["LastModified"])

    def _key(self, sha256: str) -> str:
        # Parsed again: a digest from anywhere must never become another key.
        return f"{self._bucket.prefix}sha256/{parse_sha256(sha256)}"

    def _mark(self, sha256: str) -> str:
        return f"{self._bucket.prefix}condemned/{parse_sha256(sha256)}"

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ClientError as exc:
            raise self._refusal(exc) from exc
        except (BotoCoreError, OSError) as exc:
            raise StorageUnavailable(
                "expected an answer of the object store, got none", detail=type(exc).__name__
            ) from exc

    def _refusal(self, exc: ClientError) -> Exception:
        code = str(exc.response.get("Error", {}).get("Code", "?"))
        if code in _ABSENT:
            return _Absent(code)
        if code in _EXISTS:
            return _Exists(code)
        if code in _REFUSED:
            return BlobStoreRefused(
                "expected a bucket that takes our keys", bucket=self._bucket.name, detail=code
            )
        return StorageUnavailable(
            "expected the object store to do as asked, got a refusal", detail=code
        )


class _Absent(Exception):
    """There is no such object."""


class _Exists(Exception):
    """There is an object already, or somebody is writing it now."""


def _client(bucket: Bucket) -> Any:  # noqa: ANN401 - made at run time from the service's description
    session = botocore.session.Session()
    # Other tools' files on this machine are no settings of ours.
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    return session.create_client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_SILENCE_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            signature_version="s3v4",
            s3={"addressing_style": "path", "payload_signing_enabled": True},
            # Checksums in trailers are not understood by every compatible store.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _room() -> BinaryIO:
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))


def _age(head: dict[str, Any]) -> timedelta:
    # Both by the store's own clock.
    now = head["ResponseMetadata"]["HTTPHeaders"].get("date")
    if now is None:
        return timedelta.max
    return _instant(parsedate_to_datetime(now)) - _instant(head["LastModified"])


def _instant(at: datetime) -> datetime:
    return at.astimezone(UTC)
