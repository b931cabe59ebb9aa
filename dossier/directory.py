"""The directory: which agencies exist, where they answer, which seals bind them, who may ask what.

One XML document sealed by the directory authority (protocol §1); `docs/formats/directory.md`.
This module writes and reads the bytes that the seal covers and answers questions about them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dossier import safexml, xmltext
from dossier.envelope import Assurance
from dossier.errors import DirectoryRefused, IdentifierRefused
from dossier.ids import AgencyCode, Sha256, parse_agency_code, parse_sha256, same_agency

NAMESPACE: Final = "urn:lienthong:directory:1"
ANY: Final = "*"
PULL: Final = "pull"  # channel of an agency that fetches its messages
LETTERS: Final = frozenset({"edxml_a", "edxml_b"})  # channels of agencies that read edXML only
FILE_DROP: Final = "filedrop"  # channel of an agency that exchanges through a folder
_CAPS: Final = safexml.Caps(size_bytes=32 * 1024 * 1024, depth=8, elements=400_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class SealCertificate:
    """A seal of an agency and the time during which the directory vouches for it."""

    certificate: bytes  # DER
    valid_from: datetime
    valid_until: datetime

    @property
    def sha256(self) -> Sha256:
        """Fingerprint of the certificate."""
        return Sha256(hashlib.sha256(self.certificate).hexdigest())


@dataclass(frozen=True, kw_only=True, slots=True)
class XRoadMember:
    """Who an agency is in X-Road; its messages then carry the headers of that protocol."""

    instance: str
    member_class: str
    member_code: str
    subsystem: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A way in that the directory allows for messages from an agency (protocol §10)."""

    kind: str  # soap, edxml_a, edxml_b, filedrop, portal
    assurance: Assurance


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryAgency:
    """One agency as the authority describes it."""

    code: AgencyCode
    aliases: tuple[AgencyCode, ...]  # the other code generation, as received
    name_vi: str
    name_en: str
    kind: str  # province, commune, department, tax, police, insurance, centre
    territory: str  # code of the territory it is competent for
    competences: tuple[str, ...]  # procedure codes or roles it may fill
    valid_from: datetime
    valid_until: datetime | None
    successor: AgencyCode | None
    endpoint: str  # URL of its node's SOAP service; empty when it has none
    channels: tuple[Channel, ...]
    seals: tuple[SealCertificate, ...]
    calls: tuple[SealCertificate, ...] = ()  # what its node shows in TLS and signs calls with
    x_road: XRoadMember | None = None  # messages to it carry X-Road headers
    demands_signed_calls: bool = False  # calls to it carry a WS-Security signature

    def is_named(self, code: str) -> bool:
        """Tell whether `code` is this agency's code or one of its aliases."""
        return any(same_agency(code, own) for own in (self.code, *self.aliases))

    @property
    def fetches(self) -> bool:
        """Whether it has no address and takes its messages itself (protocol §9)."""
        return not self.endpoint and any(one.kind in (PULL, FILE_DROP) for one in self.channels)

    @property
    def takes_letters(self) -> bool:
        """Whether it has no address but reads edXML letters."""
        return not self.endpoint and any(one.kind in LETTERS for one in self.channels)

    @property
    def is_reachable(self) -> bool:
        """Whether messages can get to it: sent, fetched, or handed to a document service."""
        return bool(self.endpoint) or self.fetches or self.takes_letters


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessRule:
    """`client` may send `message_type` of `procedure` to `server`; `*` stands for any."""

    client: str
    server: str
    procedure: str
    message_type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """One numbered edition; numbers rise strictly, each names the digest of the one before."""

    number: int
    authority: str
    valid_from: datetime
    valid_until: datetime
    grace_days: int  # receiving goes on so long after `valid_until`; sending stops at its end
    previous_sha256: str  # empty in the first edition
    agencies: tuple[DirectoryAgency, ...]
    rules: tuple[AccessRule, ...]
    _by_code: Mapping[str, DirectoryAgency] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the agencies: a province has hundreds, and every message asks for several."""
        found: dict[str, DirectoryAgency] = {}
        for agency in self.agencies:
            for code in (agency.code, *agency.aliases):
                found.setdefault(code.casefold(), agency)
        object.__setattr__(self, "_by_code", found)

    def find(self, code: str) -> DirectoryAgency | None:
        """Return the agency of that code or alias."""
        return self._by_code.get(code.casefold())

    def successor_of(self, code: str, *, at: datetime) -> DirectoryAgency | None:
        """Return the agency in office at that instant, following successors of merged ones."""
        seen: set[str] = set()
        agency = self.find(code)
        while agency and agency.valid_until and agency.valid_until <= at:
            if agency.code in seen or not agency.successor:
                return None
            seen.add(agency.code)
            agency = self.find(agency.successor)
        return agency

    def speaks_for(self, agency: DirectoryAgency, code: str, *, at: datetime) -> bool:
        """Tell whether `agency` bears this code, or is the successor of the one that did."""
        if agency.is_named(code):
            return True
        successor = self.successor_of(code, at=at)
        return successor is not None and successor.code == agency.code

    def seal_owner(self, certificate: bytes, *, at: datetime) -> DirectoryAgency | None:
        """Return the agency this seal certificate is bound to at that instant."""
        for agency in self.agencies:
            for seal in agency.seals:
                if seal.certificate == certificate and seal.valid_from <= at < seal.valid_until:
                    return agency
        return None

    def caller_of(self, certificate: bytes, *, at: datetime) -> DirectoryAgency | None:
        """Return the agency whose calls this certificate proves at that instant."""
        for agency in self.agencies:
            for call in agency.calls:
                if call.certificate == certificate and call.valid_from <= at < call.valid_until:
                    return agency
        return None

    def allows(self, *, client: str, server: str, procedure: str, message_type: str) -> bool:
        """Tell whether a rule lets `client` send this message type to `server`."""
        return any(
            (rule.client == ANY or same_agency(rule.client, client))
            and (rule.server == ANY or same_agency(rule.server, server))
            and rule.procedure in (ANY, procedure)
            and rule.message_type in (ANY, message_type)
            for rule in self.rules
        )


def write_directory(directory: Directory) -> bytes:
    """Return the one spelling of `directory`, not yet sealed."""
    e, t = xmltext.element, xmltext.text
    return xmltext.root(
        "Directory",
        NAMESPACE,
        (
            t("Number", str(directory.number)),
            t("Authority", directory.authority),
            t("ValidFrom", xmltext.instant(directory.valid_from)),
            t("ValidUntil", xmltext.instant(directory.valid_until)),
            t("GraceDays", str(directory.grace_days)),
            t("PreviousSha256", directory.previous_sha256),
            *(_write_agency(agency) for agency in directory.agencies),
            *(
                e(
                    "Rule",
                    client=rule.client,
                    server=rule.server,
                    procedure=rule.procedure,
                    message_type=rule.message_type,
                )
                for rule in directory.rules
            ),
        ),
    )


def parse_directory(content: bytes) -> Directory:
    """Return the directory of its one spelling, the seal already verified and taken off.

    Raises `DirectoryRefused` or `XmlRefused`.
    """
    top = safexml.parse(content, caps=_CAPS)
    reader = xmltext.Reader(top, namespace=NAMESPACE, refused=DirectoryRefused)
    if top.tag != f"{{{NAMESPACE}}}Directory":
        raise reader.refuse("expected root Directory")
    try:
        directory = _read(reader)
    except (IdentifierRefused, ValueError) as exc:
        raise DirectoryRefused(f"expected a well-formed value: {exc}") from exc
    _check(directory)
    if write_directory(directory) != content:
        raise DirectoryRefused("expected the canonical spelling of the directory")
    return directory


def _write_agency(agency: DirectoryAgency) -> str:
    e, t = xmltext.element, xmltext.text
    until = [t("ValidUntil", xmltext.instant(agency.valid_until))] if agency.valid_until else []
    successor = [t("Successor", agency.successor)] if agency.successor else []
    return e(
        "Agency",
        t("Code", agency.code),
        *(t("Alias", alias) for alias in agency.aliases),
        t("NameVi", agency.name_vi),
        t("NameEn", agency.name_en),
        t("Kind", agency.kind),
        t("Territory", agency.territory),
        *(t("Competence", competence) for competence in agency.competences),
        t("ValidFrom", xmltext.instant(agency.valid_from)),
        *until,
        *successor,
        t("Endpoint", agency.endpoint),
        *(
            e("Channel", kind=channel.kind, assurance=channel.assurance.value)
            for channel in agency.channels
        ),
        *(
            e(
                "Seal",
                t("Certificate", base64.b64encode(seal.certificate).decode()),
                valid_from=xmltext.instant(seal.valid_from),
                valid_until=xmltext.instant(seal.valid_until),
            )
            for seal in agency.seals
        ),
        *_write_transport(agency),
    )


def _write_transport(agency: DirectoryAgency) -> list[str]:
    e = xmltext.element
    parts = [
        e(
            "Call",
            xmltext.text("Certificate", base64.b64encode(call.certificate).decode()),
            valid_from=xmltext.instant(call.valid_from),
            valid_until=xmltext.instant(call.valid_until),
        )
        for call in agency.calls
    ]
    member = agency.x_road
    if member:
        parts.append(
            e(
                "XRoad",
                instance=member.instance,
                member_class=member.member_class,
                member_code=member.member_code,
                subsystem=member.subsystem,
            )
        )
    return [*parts, e("WsSecurity")] if agency.demands_signed_calls else parts


def _read(reader: xmltext.Reader) -> Directory:
    directory = Directory(
        number=int(reader.text("Number")),
        authority=reader.text("Authority"),
        valid_from=xmltext.parse_instant(reader.text("ValidFrom")),
        valid_until=xmltext.parse_instant(reader.text("ValidUntil")),
        grace_days=int(reader.text("GraceDays")),
        previous_sha256=reader.text("PreviousSha256"),
        agencies=tuple(_read_agency(one) for one in reader.children("Agency")),
        rules=tuple(_read_rule(one) for one in reader.children("Rule")),
    )
    reader.end()
    return directory


def _read_agency(reader: xmltext.Reader) -> DirectoryAgency:
    code = parse_agency_code(reader.text("Code"))
    aliases = tuple(parse_agency_code(one.own_text()) for one in reader.children("Alias"))
    name_vi = reader.text("NameVi")
    name_en = reader.text("NameEn")
    kind = reader.text("Kind")
    territory = reader.text("Territory")
    competences = tuple(one.own_text() for one in reader.children("Competence"))
    valid_from = xmltext.parse_instant(reader.text("ValidFrom"))
    until = reader.optional_text("ValidUntil")
    successor = reader.optional_text("Successor")
    endpoint = reader.text("Endpoint")
    channels = tuple(_read_channel(one) for one in reader.children("Channel"))
    seals = tuple(_read_seal(one) for one in reader.children("Seal"))
    calls = tuple(_read_seal(one) for one in reader.children("Call"))
    x_road = _read_member(reader.child("XRoad")) if reader.has("XRoad") else None
    demands = reader.has("WsSecurity")
    if demands:
        reader.child("WsSecurity").end()
    reader.end()
    return DirectoryAgency(
        code=code,
        aliases=aliases,
        name_vi=name_vi,
        name_en=name_en,
        kind=kind,
        territory=territory,
        competences=competences,
        valid_from=valid_from,
        valid_until=xmltext.parse_instant(until) if until else None,
        successor=parse_agency_code(successor) if successor else None,
        endpoint=endpoint,
        channels=channels,
        seals=seals,
        calls=calls,
        x_road=x_road,
        demands_signed_calls=demands,
    )


def _read_member(reader: xmltext.Reader) -> XRoadMember:
    reader.end()
    return XRoadMember(
        instance=reader.attribute("instance"),
        member_class=reader.attribute("member-class"),
        member_code=reader.attribute("member-code"),
        subsystem=reader.attribute("subsystem"),
    )


def _read_channel(reader: xmltext.Reader) -> Channel:
    reader.end()
    return Channel(
        kind=reader.attribute("kind"), assurance=Assurance(reader.attribute("assurance"))
    )


def _read_seal(reader: xmltext.Reader) -> SealCertificate:
    try:
        certificate = base64.b64decode(reader.text("Certificate"), validate=True)
    except binascii.Error as exc:
        raise DirectoryRefused("expected a certificate in base64") from exc
    reader.end()
    return SealCertificate(
        certificate=certificate,
        valid_from=xmltext.parse_instant(reader.attribute("valid-from")),
        valid_until=xmltext.parse_instant(reader.attribute("valid-until")),
    )


def _read_rule(reader: xmltext.Reader) -> AccessRule:
    reader.end()
    return AccessRule(
        client=reader.attribute("client"),
        server=reader.attribute("server"),
        procedure=reader.attribute("procedure"),
        message_type=reader.attribute("message-type"),
    )


def _check(directory: Directory) -> None:
    codes = [
        code.casefold() for agency in directory.agencies for code in (agency.code, *agency.aliases)
    ]
    if len(set(codes)) != len(codes):
        raise DirectoryRefused("expected each agency code once")
    if directory.number < 1 or directory.valid_until <= directory.valid_from:
        raise DirectoryRefused("expected a positive number and a period of validity")
    if directory.previous_sha256:
        parse_sha256(directory.previous_sha256)
    elif directory.number != 1:
        raise DirectoryRefused("expected the digest of the previous edition")
    bound = [one.sha256 for agency in directory.agencies for one in (*agency.seals, *agency.calls)]
    if len(set(bound)) != len(bound):
        raise DirectoryRefused("expected each certificate bound to one agency once")
