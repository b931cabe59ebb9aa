"""Trust lists (ETSI TS 119 612): reading verified ones, and writing the embedded default's own.

A list is XML signed by its operator. What counts is a service's type and its status at the time
in question, from the history; a service withdrawn by then anchors nothing (signing.md §4.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from dossier import safexml
from dossier.errors import XmlRefused
from signing.enveloped import sign_xml
from signing.errors import CertificateRefused, SignatureMalformed, TrustListMalformed
from signing.keys import Signer, read_certificates
from signing.policy import Service, ServiceKind, Trust
from signing.purpose import Purpose
from signing.transforms import loose_base64
from signing.tsa import Timestamper
from signing.unsigned import encoded
from signing.verify import open_foreign_xml, open_xml
from signing.xades import PROFILE_MARK, SignatureRole

TSL: Final = "http://uri.etsi.org/02231/v2#"
MAX_SERVICES: Final = 20_000
_CAPS: Final = safexml.Caps(size_bytes=16 * 1024 * 1024, elements=500_000)
_POSTAL: Final = ("SchemeOperatorAddress", "PostalAddresses", "PostalAddress")
_TYPE: Final = "http://uri.etsi.org/TrstSvc/Svctype/"
_STATUS: Final = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
_OLD_STATUS: Final = "http://uri.etsi.org/TrstSvc/Svcstatus/"
_KINDS: Final = {
    _TYPE + "CA/QC": ServiceKind.AUTHORITY,
    _TYPE + "CA/PKC": ServiceKind.AUTHORITY,
    _TYPE + "TSA/QTST": ServiceKind.TIMESTAMPING,
    _TYPE + "TSA": ServiceKind.TIMESTAMPING,
    _TYPE + "TSA/TSS-QC": ServiceKind.TIMESTAMPING,
    _TYPE + "Certstatus/OCSP/QC": ServiceKind.STATUS,
    _TYPE + "Certstatus/OCSP": ServiceKind.STATUS,
    _TYPE + "Certstatus/CRL/QC": ServiceKind.STATUS,
    _TYPE + "Certstatus/CRL": ServiceKind.STATUS,
}
_WRITTEN_TYPE: Final = {
    ServiceKind.AUTHORITY: _TYPE + "CA/PKC",
    ServiceKind.TIMESTAMPING: _TYPE + "TSA",
    ServiceKind.STATUS: _TYPE + "Certstatus/OCSP",
}
# Status that makes a service an anchor, of TS 119 612 and of the lists before mid 2016 (§5.5.4).
_GRANTED: Final = frozenset(
    {
        _STATUS + "granted",
        _STATUS + "recognisedatnationallevel",
        *(
            root + name
            for root in (_STATUS, _OLD_STATUS)
            for name in ("undersupervision", "supervisionincessation", "accredited")
        ),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustList:
    """What a verified trust list says."""

    number: int  # rises with each issue
    territory: str
    operator: str
    street: str  # of the operator
    locality: str
    information_uri: str
    issued: datetime
    next_update: datetime | None  # None: the list is closed and will not be issued again
    services: tuple[Service, ...]


def open_trust_list(content: bytes, *, trust: Trust, at: datetime) -> TrustList:
    """Return a trust list whose signature passes under `trust` (the operator's certificates).

    Our own lists must be signed by a certificate for the purpose TRUST_LIST. Raises as
    `open_container` does, and `TrustListMalformed`.
    """
    purposes = frozenset({Purpose.TRUST_LIST})
    opened = open_xml if PROFILE_MARK in content else open_foreign_xml
    return _read(opened(content, trust=trust, at=at, purposes=purposes).content)


def trust_of(
    *lists: TrustList,
    anchors: Sequence[bytes] = (),
    certificates: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    ocsps: Sequence[bytes] = (),
) -> Trust:
    """Return trust in the services of `lists`, each while it was granted, and in `anchors`."""
    return Trust(
        anchors=tuple(anchors),
        certificates=tuple(certificates),
        crls=tuple(crls),
        ocsps=tuple(ocsps),
        services=tuple(service for one in lists for service in one.services),
    )


def _read(content: bytes) -> TrustList:
    try:
        root = safexml.parse(content, caps=_CAPS, keep_comments=True)
        scheme = _child(root, "SchemeInformation")
        return TrustList(
            number=int(_text(scheme, "TSLSequenceNumber")),
            territory=_text(scheme, "SchemeTerritory"),
            operator=_first(scheme, "SchemeOperatorName", "Name"),
            street=_first(scheme, *_POSTAL, "StreetAddress"),
            locality=_first(scheme, *_POSTAL, "Locality"),
            information_uri=_first(scheme, "SchemeInformationURI", "URI"),
            issued=_instant(_text(scheme, "ListIssueDateTime")),
            next_update=_next_update(scheme),
            services=tuple(_services(root)),
        )
    except (XmlRefused, ValueError) as exc:
        raise TrustListMalformed("expected a trust list, got something else", reason="xml") from exc


def _next_update(scheme: etree._Element) -> datetime | None:
    found = scheme.find(f"{{{TSL}}}NextUpdate/{{{TSL}}}dateTime")
    return None if found is None else _instant(found.text or "")


def _services(root: etree._Element) -> Iterator[Service]:
    path = (
        f"{{{TSL}}}TrustServiceProviderList/{{{TSL}}}TrustServiceProvider/"
        f"{{{TSL}}}TSPServices/{{{TSL}}}TSPService"
    )
    for count, service in enumerate(root.iterfind(path)):
        if count == MAX_SERVICES:
            raise TrustListMalformed(f"expected at most {MAX_SERVICES} services", reason="size")
        information = _child(service, "ServiceInformation")
        spans = [_span(information)]
        history = f"{{{TSL}}}ServiceHistory/{{{TSL}}}ServiceHistoryInstance"
        spans += [_span(one) for one in service.iterfind(history)]
        kind = _KINDS.get(_text(information, "ServiceTypeIdentifier"), ServiceKind.OTHER)
        for certificate in _certificates(information):
            yield Service(kind=kind, certificate=certificate, history=tuple(sorted(spans)))


def _span(information: etree._Element) -> tuple[datetime, bool]:
    since = _instant(_text(information, "StatusStartingTime"))
    return since, _text(information, "ServiceStatus") in _GRANTED


def _certificates(information: etree._Element) -> list[bytes]:
    path = f"{{{TSL}}}ServiceDigitalIdentity/{{{TSL}}}DigitalId/{{{TSL}}}X509Certificate"
    found: list[bytes] = []
    for node in information.iterfind(path):
        try:
            found += read_certificates(loose_base64(node.text or ""))
        except (CertificateRefused, SignatureMalformed):
            continue  # a certificate that cannot be read anchors nothing; the others still may
    return found


def _child(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(f"{{{TSL}}}{name}")
    if len(found) != 1:
        raise TrustListMalformed(f"expected one {name}, got {len(found)}", reason=name)
    return found[0]


def _text(parent: etree._Element, name: str) -> str:
    return (_child(parent, name).text or "").strip()


def _first(parent: etree._Element, *names: str) -> str:
    """Return the text of the first element down a path, "" when there is none."""
    found = parent.find("/".join(f"{{{TSL}}}{name}" for name in names))
    return "" if found is None else (found.text or "").strip()


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def write_trust_list(
    listed: TrustList, *, signer: Signer, timestamper: Timestamper | None, at: datetime
) -> bytes:
    """Return `listed` as signed XML in our profile; raise `TrustListMalformed` for OTHER kinds."""
    return sign_xml(
        _document(listed).encode(),
        signer=signer,
        timestamper=timestamper,
        at=at,
        role=SignatureRole.PUBLISHED,
    )


def _document(listed: TrustList) -> str:
    name = _escaped(listed.operator)
    uri = f'<URI xml:lang="vi">{_escaped(listed.information_uri)}</URI>'
    address = (
        '<PostalAddresses><PostalAddress xml:lang="vi">'
        f"<StreetAddress>{_escaped(listed.street)}</StreetAddress>"
        f"<Locality>{_escaped(listed.locality)}</Locality>"
        f"<CountryName>{_escaped(listed.territory)}</CountryName></PostalAddress>"
        f"</PostalAddresses><ElectronicAddress>{uri}</ElectronicAddress>"
    )
    following = (
        "" if listed.next_update is None else f"<dateTime>{_z(listed.next_update)}</dateTime>"
    )
    services = "".join(_service_text(one) for one in listed.services)
    return (
        f'<TrustServiceStatusList xmlns="{TSL}" TSLTag="http://uri.etsi.org/19612/TSLTag">'
        "<SchemeInformation><TSLVersionIdentifier>5</TSLVersionIdentifier>"
        f"<TSLSequenceNumber>{listed.number}</TSLSequenceNumber>"
        "<TSLType>http://uri.etsi.org/TrstSvc/TrustedList/TSLType/CClist</TSLType>"
        f'<SchemeOperatorName><Name xml:lang="vi">{name}</Name></SchemeOperatorName>'
        f"<SchemeOperatorAddress>{address}</SchemeOperatorAddress>"
        f'<SchemeName><Name xml:lang="vi">{name}</Name></SchemeName>'
        f"<SchemeInformationURI>{uri}</SchemeInformationURI>"
        "<StatusDeterminationApproach>http://uri.etsi.org/TrstSvc/TrustedList/StatusDetn/CCdetn"
        "</StatusDeterminationApproach>"
        f"<SchemeTypeCommunityRules>{uri}</SchemeTypeCommunityRules>"
        f"<SchemeTerritory>{_escaped(listed.territory)}</SchemeTerritory>"
        "<HistoricalInformationPeriod>65535</HistoricalInformationPeriod>"
        f"<ListIssueDateTime>{_z(listed.issued)}</ListIssueDateTime>"
        f"<NextUpdate>{following}</NextUpdate></SchemeInformation>"
        "<TrustServiceProviderList><TrustServiceProvider><TSPInformation>"
        f'<TSPName><Name xml:lang="vi">{name}</Name></TSPName>'
        f"<TSPAddress>{address}</TSPAddress><TSPInformationURI>{uri}</TSPInformationURI>"
        f"</TSPInformation><TSPServices>{services}</TSPServices>"
        "</TrustServiceProvider></TrustServiceProviderList></TrustServiceStatusList>"
    )


def _service_text(service: Service) -> str:
    if service.kind not in _WRITTEN_TYPE or not service.history:
        raise TrustListMalformed("expected a listed kind and a status, got none", reason="kind")
    *older, newest = service.history
    current = f"<ServiceInformation>{_state_text(service, newest)}</ServiceInformation>"
    history = "".join(
        f"<ServiceHistoryInstance>{_state_text(service, one)}</ServiceHistoryInstance>"
        for one in reversed(older)
    )
    wrapped = f"<ServiceHistory>{history}</ServiceHistory>" if history else ""
    return f"<TSPService>{current}{wrapped}</TSPService>"


def _state_text(service: Service, state: tuple[datetime, bool]) -> str:
    since, granted = state
    return (
        f"<ServiceTypeIdentifier>{_WRITTEN_TYPE[service.kind]}</ServiceTypeIdentifier>"
        f'<ServiceName><Name xml:lang="vi">{service.kind.value}</Name></ServiceName>'
        "<ServiceDigitalIdentity><DigitalId><X509Certificate>"
        f"{encoded(service.certificate)}</X509Certificate></DigitalId></ServiceDigitalIdentity>"
        f"<ServiceStatus>{_STATUS}{'granted' if granted else 'withdrawn'}</ServiceStatus>"
        f"<StatusStartingTime>{_z(since)}</StatusStartingTime>"
    )


def _z(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
