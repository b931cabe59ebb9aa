"""What a certificate may be used for: one purpose each, named by a policy OID of our arc."""

from __future__ import annotations

from enum import Enum
from typing import Final

# An arc of our own: 2.25 needs no registration, the second number is a random UUID (X.667).
ARC: Final = "2.25.291177607832424649161715048158468564166"


class Purpose(Enum):
    """The closed set of purposes; a value is the last arc of the certificate policy OID."""

    SEAL = 1  # an agency's seal over containers, receipts and refusals
    PERSON = 2  # a person's signature
    TSA = 3  # time-stamp tokens; carries the critical timeStamping key usage as well
    OCSP = 4  # OCSP responses; carries OCSPSigning as well
    DIRECTORY = 5  # the directory of agencies
    CHECKPOINT = 6  # checkpoints of the log
    REQUEST = 7  # pull requests and TLS clients
    TRUST_LIST = 8  # trust lists (TS 119 612)

    @property
    def oid(self) -> str:
        """Return the certificate policy OID in dotted form."""
        return f"{ARC}.1.{self.value}"


# The policy of authorities that are for demonstrations and tests.
TEST_OID: Final = f"{ARC}.3"
PURPOSE_BY_OID: Final = {purpose.oid: purpose for purpose in Purpose}

# What may sign the documents of a container.
DOCUMENT_PURPOSES: Final = frozenset({Purpose.SEAL, Purpose.PERSON})
