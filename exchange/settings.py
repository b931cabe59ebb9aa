"""The settings of this process: read once, parsed, refused by name; `setting_names` lists them.

No setting turns a check off. Agencies, trust anchors and rules are data, not settings.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from exchange.errors import SettingRefused, SettingUnknown
from exchange.setting_names import PREFIX, SETTINGS

_NODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LINE: Final = re.compile(r"(LIENTHONG_[A-Z0-9_]+)=(.*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything an operator can set, parsed."""

    home: Path  # of this node, absolute
    node: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    bind: str
    port: int
    public_url: str
    allowed_hosts: tuple[str, ...]
    secret_key_file: Path
    keys_dir: Path
    trust_dir: Path
    directory_anchor: str
    procedures_dir: Path | None
    blob_dir: Path
    spool_dir: Path
    spool_total_bytes: int
    spool_peer_bytes: int
    max_document_bytes: int
    max_container_bytes: int
    outbound_hosts: tuple[str, ...]
    tls_authorities: Path | None
    tls_certificate: Path | None
    tls_key: Path | None
    webhook_hosts: tuple[str, ...]
    drop_dir: Path
    delivery_attempts: int
    delivery_base_seconds: int
    delivery_cap_seconds: int
    partner_calls: int
    exchange_workers: int
    tsa_url: str
    edxml: Path
    national_portal: Path
    workers: int
    database_pool: int
    blob_url: str
    blob_endpoint: str
    blob_region: str
    blob_access_key: str = field(repr=False)
    blob_secret_key: str = field(repr=False)
    blob_grace_hours: int
    traces_url: str
    log_level: str
    log_format: str

    @property
    def run_dir(self) -> Path:
        """Folder of sockets and process ids, private to the node's user."""
        return self.home / "run"

    @property
    def services_file(self) -> Path:
        """The configuration of foreign services, their WSDLs beside it; it need not be there."""
        return self.home / "services" / "services.toml"

    @property
    def logs_dir(self) -> Path:
        """Folder of log files of processes that the node starts."""
        return self.home / "logs"

    @property
    def is_embedded(self) -> bool:
        """Tell whether the database is one SQLite file."""
        return self.database_url.startswith("sqlite:")


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return load(os.environ)


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings of `environ` over those of the node's `node.env`.

    Raises `SettingUnknown` for a name that nobody reads and `SettingRefused` for a bad value.
    """
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    home = _node_home(given)
    given = {**_node_file(home / "node.env"), **given}
    known = _known_names()
    for name in given:
        if name not in known:
            raise _unknown(name, known)
    return _settings(_Reader(given, home))


def _settings(read: _Reader) -> Settings:
    bind, port = read.text("BIND"), read.integer("PORT", most=65_535)
    workers = read.integer("EXCHANGE_WORKERS", most=256)
    return Settings(
        home=read.home,
        node=read.text("NODE"),
        database_url=read.url("DATABASE_URL", ("sqlite", "postgresql")),
        redis_url=read.url(
            "REDIS_URL", ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
        ),
        bind=bind,
        port=port,
        public_url=read.url("PUBLIC_URL", ("http", "https")) or f"http://{bind}:{port}",
        allowed_hosts=read.words("ALLOWED_HOSTS"),
        secret_key_file=read.path("SECRET_KEY_FILE"),
        keys_dir=read.path("KEYS_DIR"),
        trust_dir=read.path("TRUST_DIR"),
        directory_anchor=read.choice("DIRECTORY_ANCHOR", re.compile(r"([0-9a-f]{64})?")),
        procedures_dir=read.maybe_path("PROCEDURES_DIR"),
        blob_dir=read.path("BLOB_DIR"),
        spool_dir=read.path("SPOOL_DIR"),
        spool_total_bytes=read.integer("SPOOL_TOTAL_BYTES"),
        spool_peer_bytes=read.integer("SPOOL_PEER_BYTES"),
        max_document_bytes=read.integer("MAX_DOCUMENT_BYTES"),
        max_container_bytes=read.integer("MAX_CONTAINER_BYTES"),
        outbound_hosts=read.words("OUTBOUND_HOSTS"),
        tls_authorities=read.maybe_path("TLS_AUTHORITIES"),
        tls_certificate=read.maybe_path("TLS_CERTIFICATE"),
        tls_key=read.maybe_path("TLS_KEY"),
        webhook_hosts=read.words("WEBHOOK_HOSTS"),
        drop_dir=read.path("DROP_DIR"),
        delivery_attempts=read.integer("DELIVERY_ATTEMPTS", most=1000),
        delivery_base_seconds=read.integer("DELIVERY_BASE_SECONDS"),
        delivery_cap_seconds=read.integer("DELIVERY_CAP_SECONDS"),
        partner_calls=(
            read.integer("PARTNER_CALLS", most=256)
            if read.text("PARTNER_CALLS")
            else max(1, workers - 1)
        ),
        exchange_workers=workers,
        tsa_url=read.url("TSA_URL", ("http", "https")),
        edxml=read.path("EDXML"),
        national_portal=read.path("NATIONAL_PORTAL"),
        workers=read.integer("WORKERS", most=256),
        database_pool=read.integer("DATABASE_POOL", most=1000),
        blob_url=read.url("BLOB_URL", ("s3",)),
        blob_endpoint=read.url("BLOB_ENDPOINT", ("http", "https")),
        blob_region=read.choice("BLOB_REGION", re.compile(r"[a-z0-9-]+")),
        blob_access_key=read.text("BLOB_ACCESS_KEY"),
        blob_secret_key=read.text("BLOB_SECRET_KEY"),
        blob_grace_hours=read.integer("BLOB_GRACE_HOURS", most=10_000),
        traces_url=read.url("TRACES_URL", ("http", "https")),
        log_level=read.choice("LOG_LEVEL", re.compile("DEBUG|INFO|WARNING|ERROR")),
        log_format=read.choice("LOG_FORMAT", re.compile("text|json")),
    )


class _Reader:
    """Parses one value after the other; every refusal names the setting, never a secret."""

    def __init__(self, given: Mapping[str, str], home: Path) -> None:
        self.home = home
        self._given = given
        self._settings = {one.name: one for one in SETTINGS}

    def text(self, name: str) -> str:
        setting = self._settings[PREFIX + name]
        if setting.is_secret and (path := self._given.get(f"{setting.name}_FILE")):
            return self._content(setting.name, Path(path))
        default = setting.default.replace("{home}", str(self.home))
        return self._given.get(setting.name, default).strip()

    def path(self, name: str) -> Path:
        return Path(self.text(name)).expanduser().absolute()

    def maybe_path(self, name: str) -> Path | None:
        return self.path(name) if self.text(name) else None

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in self.text(name).split(",") if word.strip())

    def integer(self, name: str, *, most: int = 2**50) -> int:
        text = self.text(name)
        if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= most:
            raise self._refused(name, f"a whole number from 1 to {most}")
        return int(text)

    def choice(self, name: str, pattern: re.Pattern[str]) -> str:
        text = self.text(name)
        if not pattern.fullmatch(text):
            raise self._refused(name, pattern.pattern)
        return text

    def url(self, name: str, schemes: tuple[str, ...]) -> str:
        text = self.text(name)
        if text and urlsplit(text).scheme not in schemes:
            raise self._refused(name, " or ".join(f"{scheme}://…" for scheme in schemes))
        return text

    def _content(self, name: str, path: Path) -> str:
        try:
            return path.read_text("utf-8").strip()
        except OSError as exc:
            raise SettingRefused(
                f"expected a readable file in {name}_FILE, got {exc.strerror}",
                name=f"{name}_FILE",
                expected=f"a readable file ({exc.strerror})",
            ) from exc

    def _refused(self, name: str, expected: str) -> SettingRefused:
        return SettingRefused(
            f"expected {expected} in {PREFIX}{name}, got something else",
            name=PREFIX + name,
            expected=expected,
        )


def _node_home(given: Mapping[str, str]) -> Path:
    home = Path(given.get(f"{PREFIX}HOME", "var")).expanduser().absolute()
    node = given.get(f"{PREFIX}NODE", "")
    if not node:
        return home
    if not _NODE.fullmatch(node):
        raise SettingRefused(
            "expected lower-case letters, digits and - in LIENTHONG_NODE",
            name=f"{PREFIX}NODE",
            expected=_NODE.pattern,
        )
    return home / "nodes" / node


def _node_file(path: Path) -> dict[str, str]:
    """Return the settings of a node's own file: one `LIENTHONG_NAME=value` a line, # comments."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match or match[1] in (f"{PREFIX}HOME", f"{PREFIX}NODE"):
            raise SettingRefused(
                f"expected LIENTHONG_NAME=value in line {number} of {path.name}",
                name=f"{path.name}:{number}",
                expected="LIENTHONG_NAME=value, neither HOME nor NODE",
            )
        found[match[1]] = match[2]
    return found


def _known_names() -> frozenset[str]:
    plain = {one.name for one in SETTINGS}
    return frozenset(plain | {f"{one.name}_FILE" for one in SETTINGS if one.is_secret})


def _unknown(name: str, known: frozenset[str]) -> SettingUnknown:
    nearest = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)[0]
    return SettingUnknown(
        f"expected a known setting, got {name}; the nearest is {nearest}",
        name=name,
        nearest=nearest,
    )
