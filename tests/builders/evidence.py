"""A dossier of two agencies, ready to be exported: letters, receipts, history, log, directory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dossier.canonical import Json
from dossier.directory import (
    AccessRule,
    Channel,
    Directory,
    DirectoryAgency,
    SealCertificate,
    write_directory,
)
from dossier.envelope import (
    MEDIA_TYPE,
    Assurance,
    Contract,
    Envelope,
    FileKind,
    InReplyTo,
    ManifestEntry,
    Urgency,
    write_envelope,
)
from dossier.ids import (
    AgencyCode,
    ConversationId,
    MessageId,
    MessageOrigin,
    Sha256,
    message_id,
)
from dossier.receipt import Outcome, Receipt, write_receipt
from signing.asic import DataFile, seal_container, sign_files
from signing.enveloped import sign_xml
from signing.evidence import (
    BundleDocument,
    BundleEvent,
    BundleMessage,
    BundleParts,
    BundleTrust,
    TrustGiven,
    build_bundle,
)
from signing.keys import FileSigner
from signing.log import (
    Checkpoint,
    DossierPlace,
    LeafKind,
    LogProof,
    Opening,
    inclusion_proof,
    sign_checkpoint,
    verifier_key,
)
from signing.purpose import Purpose
from signing.xades import SignatureRole
from tests.builders.log import log_of
from tests.builders.signing import NOW, pki

H28, H08 = AgencyCode("H28"), AgencyCode("H08")
LETTER = "Công văn số 1.pdf"
REPLY = "Công văn trả lời.pdf"
DOSSIER = "H28-220412-000001"
CONVERSATION = ConversationId("0b6f1c9e-7b57-4f0e-9d6b-0f5b8f3d2c11")
CONTRACT = Sha256(hashlib.sha256(b"process.bpmn").hexdigest())
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "h28.example/log/1a2b3c4d"
# After the last seal, as the CRLs of a bundle have to be.
EXPORTED = NOW + timedelta(hours=2)
JUDGED = NOW + timedelta(hours=3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seals:
    """The agencies' seals."""

    h28: FileSigner
    h08: FileSigner


@cache
def seals() -> Seals:
    return Seals(
        h28=pki().leaf(Purpose.SEAL, serial=9028), h08=pki().leaf(Purpose.SEAL, serial=9008)
    )


def directory(**changes: object) -> Directory:
    """The directory of the two agencies, on two nodes."""
    edition = Directory(
        number=3,
        authority="Cục Chuyển đổi số quốc gia",
        valid_from=NOW - timedelta(days=5),
        valid_until=NOW + timedelta(days=300),
        grace_days=30,
        previous_sha256="0" * 64,
        agencies=(_agency(H28, seals().h28), _agency(H08, seals().h08)),
        rules=(AccessRule(client="*", server="*", procedure="*", message_type="*"),),
    )
    return replace(edition, **changes)  # type: ignore[arg-type]  # names are those of the fields


def signed_directory(edition: Directory | None = None, *, purpose: Purpose | None = None) -> bytes:
    return sign_xml(
        write_directory(edition or directory()),
        signer=pki().signers[purpose or Purpose.DIRECTORY],
        timestamper=pki().timestamper(NOW),
        at=NOW,
        role=SignatureRole.PUBLISHED,
    )


def _agency(code: AgencyCode, seal: FileSigner) -> DirectoryAgency:
    return DirectoryAgency(
        code=code,
        aliases=(),
        name_vi=f"Ủy ban nhân dân {code}",
        name_en=f"People's Committee {code}",
        kind="province",
        territory="17",
        competences=("sender", "receiver"),
        valid_from=NOW - timedelta(days=1000),
        valid_until=None,
        successor=None,
        endpoint=f"https://{code.lower()}.example/soap",
        channels=(Channel(kind="soap", assurance=Assurance.SEALED),),
        seals=(
            SealCertificate(
                certificate=seal.certificate,
                valid_from=NOW - timedelta(days=1),
                valid_until=NOW + timedelta(days=365),
            ),
        ),
    )


def message(
    *,
    sender: AgencyCode = H28,
    receiver: AgencyCode = H08,
    sequence: int = 1,
    answers: bytes | None = None,
    document: str = LETTER,
    seal: FileSigner | None = None,
    signed: bool = True,
    **changes: object,
) -> bytes:
    """A sealed container with one letter, signed by a person before the agency sealed it."""
    letter = DataFile(
        name=document, media_type="application/pdf", content=f"%PDF-1.7 {document}".encode()
    )
    stamper = pki().timestamper(NOW)
    approval = sign_files(
        [letter],
        signer=pki().signers[Purpose.PERSON],
        timestamper=stamper,
        at=NOW,
        role=SignatureRole.APPROVED,
    )
    signatures = [("META-INF/signatures001.xml", approval)] if signed else []
    envelope = Envelope(
        message_id=_id(sequence, receiver),
        from_agency=sender,
        to_agency=receiver,
        conversation_id=CONVERSATION,
        dossier_code=DOSSIER,
        contract=Contract(procedure="p8_official_letter", version="1", sha256=CONTRACT),
        message_type="request" if answers is None else "reply",
        subject="V/v học tập kinh nghiệm",
        urgency=Urgency.NORMAL,
        issued=NOW,
        expires=NOW + timedelta(days=3),
        assurance=Assurance.SEALED,
        manifest=(
            _entry(letter.name, letter.media_type, _bytes(letter), FileKind.DOCUMENT),
            *(
                _entry(name, "application/xml", content, FileKind.SIGNATURE)
                for name, content in signatures
            ),
        ),
        in_reply_to=_answered(answers, sequence - 1, sender) if answers else None,
    )
    envelope = replace(envelope, **changes)  # type: ignore[arg-type]  # names of the fields
    files = [
        DataFile(name="envelope.xml", media_type=MEDIA_TYPE, content=write_envelope(envelope)),
        letter,
    ]
    owner = seals().h28 if sender == H28 else seals().h08
    return seal_container(
        files, signatures=signatures, signer=seal or owner, timestamper=stamper, at=NOW
    )


def _bytes(file: DataFile) -> bytes:
    assert isinstance(file.content, bytes)
    return file.content


def _entry(name: str, media_type: str, content: bytes, kind: FileKind) -> ManifestEntry:
    return ManifestEntry(
        name=name,
        media_type=media_type,
        size_bytes=len(content),
        sha256=sha256(content),
        kind=kind,
        document_kind="letter" if kind is FileKind.DOCUMENT else "",
    )


def _id(sequence: int, receiver: AgencyCode) -> MessageId:
    origin = MessageOrigin(epoch="1a2b3c4d", instance=UUID(int=7), sequence=sequence, to=receiver)
    return message_id(origin)


def _answered(container: bytes, sequence: int, receiver: AgencyCode) -> InReplyTo:
    return InReplyTo(message_id=_id(sequence, receiver), container_sha256=sha256(container))


def receipt(
    container: bytes,
    *,
    sender: AgencyCode = H28,
    receiver: AgencyCode = H08,
    sequence: int = 1,
    seal: FileSigner | None = None,
    **changes: object,
) -> bytes:
    """The receiver's sealed receipt for a container."""
    stated = Receipt(
        outcome=Outcome.ACCEPTED,
        code="accepted",
        message_id=_id(sequence, receiver),
        from_agency=sender,
        to_agency=receiver,
        container_sha256=sha256(container),
        received=NOW + timedelta(minutes=1),
        contract_sha256=CONTRACT,
        directory_number=3,
    )
    stated = replace(stated, **changes)  # type: ignore[arg-type]  # names of the fields
    owner = seals().h28 if receiver == H28 else seals().h08
    return sign_xml(
        write_receipt(stated),
        signer=seal or owner,
        timestamper=pki().timestamper(NOW + timedelta(minutes=1)),
        at=NOW + timedelta(minutes=1),
        role=SignatureRole.RECEIVED,
    )


def opening(sequence: int, kind: LeafKind, content: Json, *, dossier: str = DOSSIER) -> Opening:
    return Opening(
        kind=kind,
        at=NOW + timedelta(seconds=sequence),
        content=content,
        salt=hashlib.sha256(b"salt %d" % sequence).digest(),
        place=DossierPlace(dossier=dossier, salt=bytes(32), sequence=sequence),
    )


def openings(*pairs: tuple[bytes, bytes | None]) -> list[Opening]:
    """A history that names each container, and its receipt if there is one."""
    content: list[tuple[LeafKind, Json]] = [
        (LeafKind.TRANSITION, {"kind": "opened", "actor": "chuyen.vien"}),
        (LeafKind.TRANSITION, {"kind": "task_completed", "actor": "lanh.dao"}),
    ]
    for container, answer in pairs:
        named = {"container": sha256(container)}
        content.append((LeafKind.MESSAGE, {"parameters": named}))
        if answer is not None:
            answered = {**named, "receipt": sha256(answer)}
            content.append((LeafKind.RECEIPT, {"parameters": answered}))
    return [opening(number, *one) for number, one in enumerate(content, start=1)]


def logged(history: list[Opening]) -> list[BundleEvent]:
    """The history with its proofs, among the leaves of other dossiers."""
    entries: list[bytes] = []
    for number, one in enumerate(history):
        entries += [b"leaf of another dossier %d" % number, one.leaf.dump()]
    tiles, frontier = log_of(entries)
    head = sign_checkpoint(
        Checkpoint(origin=ORIGIN, size=len(entries), root=frontier.root), key=LOG_KEY
    )
    return [
        BundleEvent(
            opening=one.dump(),
            proof=LogProof(
                index=2 * number + 1,
                path=inclusion_proof(tiles, index=2 * number + 1, size=len(entries)),
                checkpoint=head,
            ).dump(),
        )
        for number, one in enumerate(history)
    ]


def trust(**changes: object) -> BundleTrust:
    found = BundleTrust(
        directory=signed_directory(),
        certificates=(pki().issuing.certificate,),
        crls=pki().crls(at=NOW + timedelta(hours=1)),
        log_keys=(verifier_key(ORIGIN, key=LOG_KEY),),
    )
    return replace(found, **changes)  # type: ignore[arg-type]  # names of the fields


@cache
def letters() -> tuple[bytes, bytes]:
    """A letter from H28 to H08, and the answer."""
    first = message()
    second = message(sender=H08, receiver=H28, sequence=2, answers=first, document=REPLY)
    return first, second


@cache
def answers() -> tuple[bytes, bytes]:
    """The receipts for the two letters."""
    first, second = letters()
    return receipt(first), receipt(second, sender=H08, receiver=H28, sequence=2)


@cache
def parts() -> BundleParts:
    """Everything of a closed dossier, as H28 exports it."""
    pairs = list(zip(letters(), answers(), strict=True))
    return BundleParts(
        dossier=DOSSIER,
        agency=H28,
        documents=(
            BundleDocument(
                name=LETTER, media_type="application/pdf", content=f"%PDF-1.7 {LETTER}".encode()
            ),
        ),
        messages=[
            BundleMessage(container=one, receipt=answer, assurance=Assurance.SEALED)
            for one, answer in pairs
        ],
        events=tuple(logged(openings(*pairs))),
        trust=trust(),
    )


def bundle(made: BundleParts | None = None, *, seal: FileSigner | None = None) -> bytes:
    return build_bundle(
        made or parts(),
        signer=seal or seals().h28,
        timestamper=pki().timestamper(NOW + timedelta(minutes=30)),
        at=NOW + timedelta(minutes=30),
    )


def given(**changes: object) -> TrustGiven:
    """An auditor who knows the root and nothing else."""
    known = TrustGiven(anchors=(pki().root.certificate,))
    return replace(known, **changes)  # type: ignore[arg-type]  # names of the fields


def sha256(content: bytes) -> Sha256:
    return Sha256(hashlib.sha256(content).hexdigest())
