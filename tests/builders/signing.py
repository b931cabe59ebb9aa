"""A small PKI and ready signers for tests; every instant is fixed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from signing.asic import DataFile, seal_container, sign_files
from signing.keys import FileSigner, load_signer
from signing.pki import (
    Issuer,
    Revocation,
    Subject,
    Validity,
    certificates_pem,
    issue_authority,
    issue_crl,
    issue_leaf,
    issue_root,
    new_key,
    public_key_of,
)
from signing.policy import Trust
from signing.purpose import Purpose
from signing.tsa import TimestampAuthority, Timestamper
from signing.xades import SignatureRole

NOW = datetime(2022, 4, 12, 2, 30, tzinfo=UTC)
LONG = Validity(start=NOW - timedelta(days=30), end=NOW + timedelta(days=3650))
SHORT = Validity(start=NOW - timedelta(days=10), end=NOW + timedelta(days=730))


@dataclass(frozen=True, kw_only=True)
class Pki:
    """Root, one issuing CA, and one signer per purpose."""

    root: Issuer
    issuing: Issuer
    signers: dict[Purpose, FileSigner] = field(default_factory=dict)

    def leaf(
        self, purpose: Purpose, *, validity: Validity = SHORT, serial: int = 900
    ) -> FileSigner:
        """Return a further signer."""
        return _leaf(self.issuing, self.root, purpose, validity=validity, serial=serial)

    def crls(
        self,
        *,
        at: datetime = NOW - timedelta(days=1),
        revoked: tuple[Revocation, ...] = (),
        next_update: datetime = NOW + timedelta(days=7),
    ) -> tuple[bytes, bytes]:
        """Return the CRLs of root and issuing CA; `revoked` stands in the latter."""
        return (
            issue_crl(self.root, number=1, at=at, next_update=next_update),
            issue_crl(self.issuing, number=1, at=at, next_update=next_update, revoked=revoked),
        )

    def trust(self, *, crls: tuple[bytes, ...] | None = None) -> Trust:
        """Return trust in the root, with the issuing CA at hand and current CRLs."""
        return Trust(
            anchors=(self.root.certificate,),
            certificates=(self.issuing.certificate,),
            crls=self.crls() if crls is None else crls,
        )

    def timestamper(self, at: datetime = NOW) -> Timestamper:
        """Return a time-stamper whose clock stands at `at`."""
        return TimestampAuthority(self.signers[Purpose.TSA]).timestamper(lambda: at)


def _leaf(
    issuing: Issuer, root: Issuer, purpose: Purpose, *, validity: Validity, serial: int
) -> FileSigner:
    key = new_key()
    certificate = issue_leaf(
        issuing,
        public_key=public_key_of(key),
        purpose=purpose,
        subject=Subject(common_name=f"Người ký {purpose.name}", organization="UBND tỉnh Hòa Bình"),
        validity=validity,
        serial=serial,
    )
    return load_signer(
        key, certificates=certificates_pem(certificate, issuing.certificate, root.certificate)
    )


@cache
def pki() -> Pki:
    """Return the PKI of this test run."""
    root_key, issuing_key = new_key(), new_key()
    root = Issuer(
        certificate=issue_root(
            root_key,
            subject=Subject(common_name="Gốc thử nghiệm"),
            validity=LONG,
            serial=1,
            for_tests=True,
        ),
        key=root_key,
    )
    issuing = Issuer(
        certificate=issue_authority(
            root,
            public_key=public_key_of(issuing_key),
            subject=Subject(common_name="CA thử nghiệm"),
            validity=LONG,
            serial=2,
        ),
        key=issuing_key,
    )
    signers = {
        purpose: _leaf(issuing, root, purpose, validity=SHORT, serial=10 + purpose.value)
        for purpose in Purpose
    }
    return Pki(root=root, issuing=issuing, signers=signers)


def letter() -> list[DataFile]:
    """Return an envelope and a letter with a Vietnamese name."""
    return [
        DataFile(
            name="envelope.xml", media_type="application/xml", content=b"<envelope></envelope>"
        ),
        DataFile(
            name="Công văn số 1.pdf", media_type="application/pdf", content=b"%PDF-1.7 letter"
        ),
    ]


def sealed(
    *, stamped: bool = True, at: datetime = NOW, files: list[DataFile] | None = None
) -> bytes:
    """Return a container with a person's signature over the letter and the agency's seal."""
    parts = letter() if files is None else files
    timestamper = pki().timestamper(at) if stamped else None
    approved = sign_files(
        parts[1:],
        signer=pki().signers[Purpose.PERSON],
        timestamper=timestamper,
        at=at,
        role=SignatureRole.APPROVED,
    )
    return seal_container(
        parts,
        signatures=[("META-INF/signatures001.xml", approved)],
        signer=pki().signers[Purpose.SEAL],
        timestamper=timestamper,
        at=at,
    )
