"""The names of all settings: about forty `LIENTHONG_*` with their kinds and safe defaults.

`exchange.settings` parses them; `docs/reference/settings.md` is made of this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PREFIX: Final = "LIENTHONG_"


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One name as `docs/reference/settings.md` prints it."""

    name: str  # LIENTHONG_…
    kind: str
    default: str  # `{home}` stands for the node's home
    help: str
    is_secret: bool = False  # may also be given as <name>_FILE, a path to the value


def _setting(name: str, kind: str, default: str, text: str, *, is_secret: bool = False) -> Setting:
    return Setting(name=PREFIX + name, kind=kind, default=default, help=text, is_secret=is_secret)


SETTINGS: Final = (
    _setting("HOME", "path", "var", "Folder of everything this installation writes."),
    _setting(
        "NODE", "name", "", "Name of one of several nodes on this machine: home/nodes/<name>."
    ),
    _setting(
        "DATABASE_URL",
        "URL",
        "sqlite:///{home}/db.sqlite3",
        "The database: sqlite:///path or postgresql://user:password@host:port/name.",
        is_secret=True,
    ),
    _setting(
        "REDIS_URL",
        "URL",
        "",
        "An external Redis (redis://, rediss://, unix:// or redis+sentinel://host:port,…/name);"
        " empty: the node runs its own.",
        is_secret=True,
    ),
    _setting("BIND", "address", "127.0.0.1", "The address on which the web server listens."),
    _setting("PORT", "port", "8000", "The port on which the web server listens."),
    _setting("PUBLIC_URL", "URL", "", "The address people use; empty: http://<bind>:<port>."),
    _setting(
        "ALLOWED_HOSTS",
        "list",
        "127.0.0.1,localhost",
        "Host names under which the portal answers, separated by commas.",
    ),
    _setting(
        "SECRET_KEY_FILE",
        "path",
        "{home}/keys/portal.secret",
        "File with the secret that signs sessions; made at the first start.",
    ),
    _setting("KEYS_DIR", "path", "{home}/keys", "Folder of this node's private keys."),
    _setting("TRUST_DIR", "path", "{home}/trust", "Folder of trust anchors, CRLs and directories."),
    _setting(
        "DIRECTORY_ANCHOR",
        "SHA-256",
        "",
        "Fingerprint of the directory authority's anchor; empty: the one pinned at import.",
    ),
    _setting(
        "PROCEDURES_DIR", "path", "", "Folder of procedure folders; empty: those of the package."
    ),
    _setting("BLOB_DIR", "path", "{home}/blobs", "Folder of stored documents and containers."),
    _setting(
        "BLOB_URL",
        "URL",
        "",
        "An S3-compatible store instead of BLOB_DIR: s3://bucket/prefix; needs the extra s3.",
    ),
    _setting("BLOB_ENDPOINT", "URL", "", "The address of the S3-compatible store."),
    _setting("BLOB_REGION", "name", "us-east-1", "The region that the S3-compatible store signs."),
    _setting("BLOB_ACCESS_KEY", "text", "", "Our name at the S3-compatible store.", is_secret=True),
    _setting("BLOB_SECRET_KEY", "text", "", "Our key at the S3-compatible store.", is_secret=True),
    _setting(
        "BLOB_GRACE_HOURS",
        "integer",
        "24",
        "Age at which a stored file that no row names is removed.",
    ),
    _setting("SPOOL_DIR", "path", "{home}/spool", "Folder of bytes that are not verified yet."),
    _setting(
        "SPOOL_TOTAL_BYTES",
        "integer",
        str(2 * 1024**3),
        "Most bytes that may wait unverified, from all peers together.",
    ),
    _setting(
        "SPOOL_PEER_BYTES",
        "integer",
        str(1024**3),
        "Most bytes that may wait unverified from one address.",
    ),
    _setting(
        "MAX_DOCUMENT_BYTES", "integer", str(50 * 1024**2), "Largest document that is accepted."
    ),
    _setting(
        "MAX_CONTAINER_BYTES", "integer", str(512 * 1024**2), "Largest container that is accepted."
    ),
    _setting(
        "OUTBOUND_HOSTS",
        "list",
        "127.0.0.1,localhost",
        "Hosts that this node may call, besides those that the directory names.",
    ),
    _setting(
        "TLS_AUTHORITIES",
        "path",
        "",
        "Certificate authorities (PEM) of partners' https; empty: those of the system.",
    ),
    _setting(
        "TLS_CERTIFICATE",
        "path",
        "",
        "Certificate (PEM) that this node shows to partners that ask for one.",
    ),
    _setting("TLS_KEY", "path", "", "Private key (PEM) of LIENTHONG_TLS_CERTIFICATE."),
    _setting(
        "WEBHOOK_HOSTS",
        "list",
        "",
        "Hosts that notifications may be sent to; one in an inner network must stand in"
        " LIENTHONG_OUTBOUND_HOSTS too.",
    ),
    _setting(
        "DROP_DIR", "path", "{home}/drop", "Folder of the folders of agencies without a service."
    ),
    _setting("DELIVERY_ATTEMPTS", "integer", "10", "Attempts before a message is parked."),
    _setting(
        "DELIVERY_BASE_SECONDS", "integer", "5", "Wait after the first failed attempt; it doubles."
    ),
    _setting("DELIVERY_CAP_SECONDS", "integer", "3600", "Longest wait between two attempts."),
    _setting(
        "PARTNER_CALLS",
        "integer",
        "",
        "Most processes that may deliver to one partner at the same time, each of them up to three"
        " small messages; empty: all LIENTHONG_EXCHANGE_WORKERS but one, so that a slow partner"
        " never holds the last.",
    ),
    _setting(
        "EXCHANGE_WORKERS",
        "integer",
        "2",
        "Processes that deliver and place messages: one may wait for a partner that is slow.",
    ),
    _setting(
        "TSA_URL",
        "URL",
        "",
        "Time-stamp authority (http or https: its answers are signed); empty: the node's own.",
    ),
    _setting(
        "NATIONAL_PORTAL",
        "path",
        "{home}/national-portal.toml",
        "File about national portals that are told of dossiers; none there: none is told.",
    ),
    _setting(
        "EDXML",
        "path",
        "{home}/edxml.toml",
        "File about document services that speak edXML; none there: edXML is off.",
    ),
    _setting("WORKERS", "integer", "1", "Processes that advance instances; SQLite allows one."),
    _setting(
        "DATABASE_POOL",
        "integer",
        "8",
        "Most connections to PostgreSQL that one web process keeps; a worker process keeps one.",
    ),
    _setting(
        "TRACES_URL",
        "URL",
        "",
        "Where traces are sent by OTLP over HTTP; empty: nowhere; needs the extra traces.",
    ),
    _setting("LOG_LEVEL", "name", "INFO", "Least severe level that is logged."),
    _setting("LOG_FORMAT", "text or json", "text", "Form of a log line."),
)
