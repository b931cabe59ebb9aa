"""Keys on PKCS#11 tokens and HSMs: the key never leaves them, and their module never enters here.

The vendor's module runs in a child process (`signing.tokenchild`): it is foreign machine code. No
certification authority, chip or vendor is recognised by its name; what counts is the mechanism.
"""

from __future__ import annotations

import base64
import hashlib
import json
import selectors
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cryptography.exceptions import InvalidSignature

from signing import algorithms
from signing.algorithms import SignatureAlgorithm
from signing.certificate import parse_certificate
from signing.errors import AlgorithmRefused, KeyUnusable, PinRefused, TokenUnusable
from signing.keys import read_certificates

# A person may have to confirm at the token itself.
_TIMEOUT_SECONDS: Final = 120.0
_ANSWER_BYTES: Final = 128 * 1024


class TokenSigner:
    """A signer whose key is on a token; close it, or use it in a `with` block."""

    __slots__ = ("_child", "_key", "algorithm", "certificate", "chain")

    def __init__(self, child: _Child, *, certificates: tuple[bytes, ...]) -> None:
        """Take an opened child and the key's certificate with its chain; raise `KeyUnusable`."""
        key = parse_certificate(certificates[0]).public_key
        if key is None:
            raise KeyUnusable("expected a listed key, got a weak one", reason="weak")
        try:
            self.algorithm: SignatureAlgorithm = algorithms.signing_algorithm(key)
        except AlgorithmRefused as exc:
            raise KeyUnusable(exc.message, reason="weak") from exc
        self._child = child
        self._key = key
        self.certificate = certificates[0]
        self.chain = certificates[1:]

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message` in XML-DSig form.

        Raises `TokenUnusable`, and `KeyUnusable` when the certificate is not that of the key.
        """
        name = self.algorithm.hash_name
        digest = base64.b64encode(hashlib.new(name, message).digest()).decode()
        answer = self._child.ask({"hash": name, "digest": digest})
        value = base64.b64decode(str(answer["signature"]))
        try:
            algorithms.verify(self._key, self.algorithm, signature=value, message=message)
        except InvalidSignature as exc:
            raise KeyUnusable(
                "expected the key of the certificate, got another one", reason="mismatch"
            ) from exc
        return value

    def close(self) -> None:
        """End the session with the token."""
        self._child.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def open_token(
    module: Path, *, token: str, key: str, pin: bytes, certificates: bytes | None = None
) -> TokenSigner:
    """Return a signer for the private key labelled `key` on the token labelled `token`.

    `module` is the vendor's library. `certificates` (PEM, leaf first) are needed where the token
    holds none for the key. Raises `PinRefused`, `TokenUnusable`, `KeyUnusable`.
    """
    child = _Child()
    try:
        answer = child.ask(
            {
                "module": str(module),
                "token": token,
                "key": key,
                "pin": base64.b64encode(pin).decode(),
            }
        )
        chain = read_certificates(certificates) if certificates else ()
        if not chain:
            if not answer["certificate"]:
                raise TokenUnusable("expected a certificate for the key", reason="certificate")
            chain = (base64.b64decode(str(answer["certificate"])),)
        return TokenSigner(child, certificates=chain)
    except BaseException:
        child.close()
        raise


class _Child:
    """The process that holds the module; one question at a time."""

    __slots__ = ("_process",)

    def __init__(self) -> None:
        # -P: nothing is imported from the folder that the command happens to stand in.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "signing.tokenchild"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )

    def ask(self, question: dict[str, str]) -> dict[str, Any]:
        """Return the child's answer; raise `PinRefused` or `TokenUnusable`."""
        try:
            assert self._process.stdin is not None  # noqa: S101 - opened with PIPE
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            answer: dict[str, Any] = json.loads(self._line())
        except (OSError, ValueError) as exc:
            self.close()
            raise TokenUnusable("expected an answer of the module, got none", reason="crash") from (
                exc
            )
        if "error" not in answer:
            return answer
        if answer["error"] == "pin":
            raise PinRefused("expected the PIN of the token, got another one")
        raise TokenUnusable(
            f"expected a token that signs, got {answer['error']} {answer.get('detail', '')}",
            reason=str(answer["error"]),
        )

    def _line(self) -> bytes:
        output = self._process.stdout
        assert output is not None  # noqa: S101 - opened with PIPE
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while not line.endswith(b"\n") and len(line) < _ANSWER_BYTES:
                if not selector.select(_TIMEOUT_SECONDS):
                    raise OSError("expected an answer in time, got none")
                piece = output.read(_ANSWER_BYTES)
                if not piece:
                    break
                line += piece
        return line

    def close(self) -> None:
        """End the process, which ends its session."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
