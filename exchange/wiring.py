"""Build the node of this process, once: the only place where the parts meet."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from connectors.connections import Tls
from connectors.direct import DirectSender
from connectors.http import HttpClient, Timeouts, only_hosts, public_address
from connectors.incoming import ServerCaps, SignedCalls
from connectors.mailbox import PullOperations
from connectors.request import Doorkeeper
from connectors.soap_client import SoapClient
from connectors.soap_server import SoapServer
from connectors.webhooks import WebhookSender
from connectors.wssecurity import TokenSigner
from dossier.clock import Clock, SystemClock
from dossier.ids import AgencyCode
from dossier.wire import SendHints, Sending, WireEndpoint, WireReply, WireRequest
from exchange import tracing
from exchange.arrivals import SMALL_BYTES
from exchange.callkeys import CallJudge, call_signer
from exchange.contract import Contracts
from exchange.directory import CurrentDirectory
from exchange.epoch import epoch_of
from exchange.node import Node
from exchange.pull import NodeMailbox, NodeNonces, SealOpener
from exchange.receive import Reception
from exchange.routes import route
from exchange.rules import Rules
from exchange.seals import SealFolder, read_key
from exchange.services import ServiceBook
from exchange.settings import Settings, settings
from exchange.stores import blob_store
from exchange.sweep import own_name
from exchange.timestamps import remote_authority
from exchange.trust import TrustFolder
from signing.tsa import TimestampAuthority, Timestamper
from storage.spool import FileSpool


@cache
def node() -> Node:
    """Return this process's node."""
    return build(settings())


def build(here: Settings, *, clock: Clock | None = None) -> Node:
    """Return a node of these settings; its directory and keys must be there already."""
    clock = clock or SystemClock()
    directory = CurrentDirectory()
    here.spool_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Node(
        settings=here,
        clock=clock,
        blobs=blob_store(here),
        spool=FileSpool(
            here.spool_dir,
            total_bytes=here.spool_total_bytes,
            per_peer_bytes=here.spool_peer_bytes,
            memory_bytes=SMALL_BYTES,
        ),
        seals=SealFolder(here.keys_dir / "seals"),
        timestamper=_timestamper(here, clock),
        trust=TrustFolder(here.trust_dir),
        directory=directory,
        contracts=Contracts(),
        rules=Rules(),
        sender=lambda: _soap_client(here, directory, clock),
        neighbour=_neighbour,
        notifier=lambda: _notifier(here, clock),
        services=_services(here),
        epoch=epoch_of(clock),
        owner=own_name(),
    )


def soap_endpoint(of: Node) -> WireEndpoint:
    """Return the node's SOAP endpoint."""
    caps = ServerCaps(container_bytes=of.settings.max_container_bytes)
    doorkeeper = Doorkeeper(
        opener=SealOpener(of),
        nonces=NodeNonces(of),
        is_hosted=lambda agency: of.hosted(agency) is not None,
    )
    pull = PullOperations(mailbox=NodeMailbox(of), doorkeeper=doorkeeper, clock=of.clock)
    served = SoapServer(
        receiving=Reception(of),
        spool=of.spool,
        caps=caps,
        pull=pull,
        signed=SignedCalls(judge=CallJudge(of), clock=of.clock),
        demands_signature=lambda addressee: _demands_signature(of, addressee),
        public_url=of.settings.public_url,
    )

    def answer(request: WireRequest) -> WireReply:
        with of.answering():
            return served(request)

    return tracing.traced(answer, "receive")


def _demands_signature(of: Node, addressee: AgencyCode) -> bool:
    found = of.directory().find(addressee)
    return found is not None and found.demands_signed_calls


def _neighbour(of: Node) -> Sending:
    return DirectSender(receiving=Reception(of), spool=of.spool)


def _soap_client(here: Settings, directory: CurrentDirectory, clock: Clock) -> SoapClient:
    def may_call(host: str, _port: int) -> bool:
        agencies_of = directory.directory().agencies
        named = {urlsplit(agency.endpoint).hostname for agency in agencies_of}
        return host in here.outbound_hosts or host in named

    def pins(host: str, port: int) -> frozenset[bytes]:
        now = clock.now()
        return frozenset(
            call.certificate
            for agency in directory.directory().agencies
            if _address(agency.endpoint) == (host, port)
            for call in agency.calls
            if call.valid_from <= now < call.valid_until
        )

    def signing(hints: SendHints) -> TokenSigner | None:
        found = directory.directory().successor_of(hints.to_agency, at=clock.now())
        demands = found is not None and found.demands_signed_calls
        return call_signer(here.keys_dir, hints.from_agency) if demands else None

    return SoapClient(
        http=HttpClient(may_call=may_call, tls=_tls(here), pins=pins),
        routing=lambda endpoint, hints: route(directory.directory(), hints, at=clock.now()),
        signing=signing,
        clock=clock,
    )


def _tls(here: Settings) -> Tls:
    return Tls(authorities=here.tls_authorities, certificate=here.tls_certificate, key=here.tls_key)


def _address(endpoint: str) -> tuple[str, int]:
    parts = urlsplit(endpoint)
    return parts.hostname or "", parts.port or 443


def _notifier(here: Settings, clock: Clock) -> WebhookSender:
    http = HttpClient(
        may_call=only_hosts(*here.webhook_hosts),
        timeouts=Timeouts(silence_seconds=10.0, reply_seconds=20.0),
        resolver=public_address(*here.outbound_hosts),
    )
    return WebhookSender(http=http, clock=clock)


def _services(here: Settings) -> ServiceBook:
    def may_call(host: str, _port: int) -> bool:
        return host in here.outbound_hosts

    timeouts = Timeouts(silence_seconds=20.0, reply_seconds=30.0)
    http = HttpClient(may_call=may_call, tls=Tls(), timeouts=timeouts)
    return ServiceBook(here.services_file, http=http)


def _timestamper(here: Settings, clock: Clock) -> Timestamper:
    if not here.tsa_url:
        return TimestampAuthority(read_key(here.keys_dir / "tsa")).timestamper(clock.now)
    return remote_authority(here.tsa_url)
