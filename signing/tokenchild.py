"""The child process of `signing.token`: loads the vendor's PKCS#11 module and signs with it.

Reads one JSON object a line and answers each with one: first the opening, then messages to sign.
A module that crashes, hangs or prints takes nothing but this process with it.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import pkcs11
from pkcs11 import MGF, Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
)

# What may sign, by kind of key: the message is digested outside, so nothing weaker can slip in.
_MECHANISMS: Final = {KeyType.EC: Mechanism.ECDSA, KeyType.RSA: Mechanism.RSA_PKCS_PSS}
_PSS: Final = {
    "sha256": (Mechanism.SHA256, MGF.SHA256, 32),
    "sha384": (Mechanism.SHA384, MGF.SHA384, 48),
    "sha512": (Mechanism.SHA512, MGF.SHA512, 64),
}
_WRONG_PIN: Final = (PinIncorrect, PinInvalid, PinLenRange, PinLocked, PinExpired)

Answer = dict[str, str | None]


class _Refused(Exception):
    """Why the token cannot sign."""


def main() -> None:
    """Serve the parent until it closes the pipe."""
    # Vendors' modules print as they like: their standard output goes where errors go.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    sign: Callable[[Mapping[str, str]], Answer] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if sign is None:
                sign, answer = _open(request)
            else:
                answer = sign(request)
        except _Refused as exc:
            answer = {"error": str(exc)}
        except _WRONG_PIN:
            answer = {"error": "pin"}
        except (PKCS11Error, RuntimeError, ValueError) as exc:
            answer = {"error": "module", "detail": type(exc).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _open(request: Mapping[str, str]) -> tuple[Callable[[Mapping[str, str]], Answer], Answer]:
    library = pkcs11.lib(request["module"])
    slots = [
        one
        for one in library.get_slots(token_present=True)
        if one.get_token().label.strip() == request["token"]
    ]
    if len(slots) != 1:
        raise _Refused("token" if not slots else "token_twice")
    pin = base64.b64decode(request["pin"]).decode()
    session = slots[0].get_token().open(user_pin=pin)
    keys = list(
        session.get_objects(
            {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: request["key"]}
        )
    )
    if len(keys) != 1:
        raise _Refused("key" if not keys else "key_twice")
    key: Any = keys[0]
    mechanism = _MECHANISMS.get(key.key_type)
    if mechanism is None or mechanism not in slots[0].get_mechanisms():
        raise _Refused("mechanism")

    def sign(message: Mapping[str, str]) -> Answer:
        digest = base64.b64decode(message["digest"])
        parameter = _PSS[message["hash"]] if mechanism is Mechanism.RSA_PKCS_PSS else None
        value = key.sign(digest, mechanism=mechanism, mechanism_param=parameter)
        return {"signature": base64.b64encode(value).decode()}

    return sign, {"certificate": _certificate(session, key)}


def _certificate(session: Any, key: Any) -> str | None:  # noqa: ANN401 - made by the module
    """Return the certificate that belongs to the key by its id, None when the token has none."""
    wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.ID: key[Attribute.ID]}
    for one in session.get_objects(wanted):
        return base64.b64encode(one[Attribute.VALUE]).decode()
    return None


if __name__ == "__main__":
    main()
