"""An S3-compatible server of the tests' own: a process on loopback that checks signatures."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import botocore.session

from storage.s3 import Bucket

_START_SECONDS = 30
# So many calls make the user, its key and the bucket; from then on every call must be signed.
_CALLS_BEFORE_CHECKS = 4
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectStore:
    """The running server."""

    bucket: Bucket
    process_id: int

    def client(self) -> Any:  # noqa: ANN401 - made at run time from the service's description
        """Return a client of the tests' own, to look behind the store's back."""
        return _client("s3", self.bucket)


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Yield a server with one bucket, and the one user who may use it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(_CALLS_BEFORE_CHECKS)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        bucket = Bucket(
            name="lienthong",
            prefix="node-1/",
            endpoint=f"http://127.0.0.1:{port}",
            region="us-east-1",
            access_key="first",
            secret_key="first",
        )
        _wait(port, process)
        yield ObjectStore(bucket=_prepared(bucket), process_id=process.pid)
    finally:
        process.kill()
        process.wait()


def _prepared(bucket: Bucket) -> Bucket:
    """Make a user, its rights and the bucket: `_CALLS_BEFORE_CHECKS` calls."""
    people = _client("iam", bucket)
    people.create_user(UserName="node")
    people.put_user_policy(UserName="node", PolicyName="all", PolicyDocument=json.dumps(_POLICY))
    key = people.create_access_key(UserName="node")["AccessKey"]
    known = replace(bucket, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])
    _client("s3", known).create_bucket(Bucket=known.name)
    return known


def _client(service: str, bucket: Bucket) -> Any:  # noqa: ANN401 - made at run time
    return botocore.session.Session().create_client(
        service,
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
    )


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
