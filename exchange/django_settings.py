"""What Django is told: built from our settings, so that Django has no settings of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from exchange.errors import SettingRefused
from exchange.settings import Settings

_SQLITE_INIT: Final = "PRAGMA journal_mode=wal; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000;"
_WAIT_SECONDS: Final = 3.0  # for a free connection; then the person is asked to come back
_IDLE_SECONDS: Final = 300.0
_PORTAL: Final = Path(__file__).parent.parent / "portal"


def django_settings(
    settings: Settings, *, secret_key: str, is_pooled: bool = False
) -> dict[str, object]:
    """Return the arguments of `django.conf.settings.configure`."""
    is_https = settings.public_url.startswith("https:")
    return {
        "SECRET_KEY": secret_key,
        "DEBUG": False,
        "ALLOWED_HOSTS": list(settings.allowed_hosts),
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "storage",
            "portal",
        ],
        "MIDDLEWARE": [
            "portal.traces.traced",
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "ROOT_URLCONF": "portal.urls",
        "TEMPLATES": [_templates()],
        "DATABASES": {"default": _database(settings, is_pooled=is_pooled)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "AUTH_USER_MODEL": "storage.User",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": 12},
            },
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        ],
        "LOGIN_URL": "login",
        "LANGUAGE_CODE": "vi",
        "LANGUAGES": [("vi", "Tiếng Việt"), ("en", "English")],
        "LOCALE_PATHS": [str(_PORTAL / "locale")],
        "USE_I18N": True,
        "USE_TZ": True,
        "TIME_ZONE": "Asia/Ho_Chi_Minh",
        "STATIC_URL": "static/",
        "STATIC_ROOT": str(settings.home / "static"),
        "LOGGING_CONFIG": None,
        **_transport(settings, is_https=is_https),
    }


def _transport(settings: Settings, *, is_https: bool) -> dict[str, object]:
    # A cookie name per port: browsers share cookies between the ports of one host.
    return {
        "SESSION_COOKIE_NAME": f"lienthong-{settings.port}",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": is_https,
        "SESSION_COOKIE_AGE": 12 * 3600,
        "CSRF_COOKIE_NAME": f"lienthong-csrf-{settings.port}",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SECURE": is_https,
        "CSRF_TRUSTED_ORIGINS": [settings.public_url],
        "X_FRAME_OPTIONS": "DENY",
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "SECURE_HSTS_SECONDS": 365 * 24 * 3600 if is_https else 0,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 1024**2,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 1000,
        "DATA_UPLOAD_MAX_NUMBER_FILES": 50,
        "FILE_UPLOAD_HANDLERS": ["django.core.files.uploadhandler.TemporaryFileUploadHandler"],
        "FILE_UPLOAD_PERMISSIONS": 0o600,
    }


def _templates() -> dict[str, object]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }


def _database(settings: Settings, *, is_pooled: bool) -> dict[str, object]:
    found = database(settings.database_url)
    return pooled(found, settings.database_pool) if is_pooled else found


def pooled(described: dict[str, Any], size: int) -> dict[str, Any]:
    """Let the threads of one process share that many connections to PostgreSQL.

    A process of one thread keeps its one connection instead, which lives through a fork safely
    when it is closed before; a pool's own threads would not.
    """
    if described["ENGINE"] != "django.db.backends.postgresql":
        return described
    options = described["OPTIONS"]
    pool = {"min_size": 0, "max_size": size, "timeout": _WAIT_SECONDS, "max_idle": _IDLE_SECONDS}
    # Its waits double up to minutes otherwise: a database that is back must be found at once.
    pool |= {"reconnect_timeout": _WAIT_SECONDS}
    return {**described, "CONN_MAX_AGE": 0, "OPTIONS": {**options, "pool": pool}}


def database(url: str) -> dict[str, Any]:
    """Return Django's description of the database at `url`; raise `SettingRefused`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(unquote(parts.path))
    if not parts.path.strip("/"):
        raise SettingRefused(
            "expected the name of a database in LIENTHONG_DATABASE_URL",
            name="LIENTHONG_DATABASE_URL",
            expected="postgresql://user:password@host:port/name",
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "lienthong",
            "connect_timeout": 3,
            # In this order (worker.md §4): budget < lock < idle in transaction ≤ statement.
            "options": "-c lock_timeout=3s -c idle_in_transaction_session_timeout=5s"
            " -c statement_timeout=15s",
            "server_side_binding": True,
            "prepare_threshold": 2,
            **dict(parse_qsl(parts.query)),
        },
    }


def _sqlite(path: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        # sqlite:///relative and sqlite:////absolute, as everybody writes it.
        "NAME": str(Path(path[1:]).absolute()),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # Under DEFERRED a read that turns into a write fails at once, whatever the timeout.
            "transaction_mode": "IMMEDIATE",
            "init_command": _SQLITE_INIT,
            "timeout": 10,
        },
    }
