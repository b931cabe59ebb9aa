"""Start Django, once per process: the faces boot first and load their modules then."""

from __future__ import annotations

import gc
import os
import secrets
from pathlib import Path

import django
from django.conf import settings as django_conf

from dossier import safexml
from exchange.django_settings import django_settings
from exchange.errors import SettingRefused
from exchange.settings import Settings, settings


def boot(with_settings: Settings | None = None, *, is_pooled: bool = False) -> Settings:
    """Configure Django from the settings and load its apps; a second call changes nothing.

    `is_pooled` is for a process of many threads: they share its connections to the database.
    """
    chosen = with_settings or settings()
    safexml.demand_library()
    if not django_conf.configured:
        chosen.home.mkdir(parents=True, exist_ok=True)
        secret_key = _secret(chosen.secret_key_file)
        django_conf.configure(**django_settings(chosen, secret_key=secret_key, is_pooled=is_pooled))
        django.setup()
    return chosen


def settle() -> None:
    """Let the collector of garbage pass over all that is loaded by now, from now on.

    Looking through it takes a tenth of a second in the midst of the work, and writes to every page
    of memory that processes share since they were forked.
    """
    gc.collect()
    gc.freeze()


def _secret(path: Path) -> str:
    """Return the secret in `path`, made there (0600) when the file does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    secret = path.read_text("ascii").strip()
    if len(secret) < 32:
        raise SettingRefused(
            "expected at least 32 characters in LIENTHONG_SECRET_KEY_FILE",
            name="LIENTHONG_SECRET_KEY_FILE",
            expected="a file of at least 32 characters",
        )
    return secret
