"""Settings: typed, defaulted, and a wrong name or value is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.django_settings import database, django_settings, pooled
from exchange.errors import SettingRefused, SettingUnknown
from exchange.setting_names import SETTINGS
from exchange.settings import load
from exchange.stores import blob_store


def _load(tmp_path: Path, **given: str) -> object:
    return load({"LIENTHONG_HOME": str(tmp_path), **given})


def test_everything_has_a_safe_default(tmp_path: Path) -> None:
    settings = load({"LIENTHONG_HOME": str(tmp_path), "PATH": "/bin"})
    assert settings.bind == "127.0.0.1"
    assert settings.is_embedded
    assert settings.database_url == f"sqlite:///{tmp_path}/db.sqlite3"
    assert settings.blob_dir == tmp_path / "blobs"
    assert settings.public_url == "http://127.0.0.1:8000"


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingUnknown) as caught:
        _load(tmp_path, LIENTHONG_DATABSE_URL="sqlite:///x")
    assert caught.value.parameters["nearest"] == "LIENTHONG_DATABASE_URL"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "0"),
        ("PORT", "eighty"),
        ("DATABASE_URL", "mysql://x"),
        ("REDIS_URL", "http://x"),
        ("DIRECTORY_ANCHOR", "abc"),
        ("LOG_LEVEL", "LOUD"),
        ("WORKERS", "-1"),
        ("NODE", "../x"),
        ("DATABASE_URL_FILE", "/nowhere"),
    ],
)
def test_a_bad_value_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingRefused) as caught:
        _load(tmp_path, **{f"LIENTHONG_{name}": value})
    assert caught.value.parameters["name"] == f"LIENTHONG_{name}"


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("postgresql://u:p@127.0.0.1:5432/lt\n")
    settings = load({"LIENTHONG_HOME": str(tmp_path), "LIENTHONG_DATABASE_URL_FILE": str(secret)})
    assert settings.database_url == "postgresql://u:p@127.0.0.1:5432/lt"
    assert not settings.is_embedded


def test_a_nodes_own_file_lies_beneath_the_environment(tmp_path: Path) -> None:
    home = tmp_path / "nodes" / "h08"
    home.mkdir(parents=True)
    (home / "node.env").write_text("# ports\n\nLIENTHONG_PORT=8108\nLIENTHONG_WORKERS=2\n")
    settings = load(
        {
            "LIENTHONG_HOME": str(tmp_path),
            "LIENTHONG_NODE": "h08",
            "LIENTHONG_WORKERS": "3",
        }
    )
    assert (settings.home, settings.port, settings.workers) == (home, 8108, 3)


@pytest.mark.parametrize("line", ["PORT=1", "LIENTHONG_HOME=/x", "LIENTHONG_PORT"])
def test_a_bad_line_of_a_nodes_file_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "node.env").write_text(f"LIENTHONG_PORT=1\n{line}\n")
    with pytest.raises(SettingRefused, match="line 2"):
        _load(tmp_path)


def test_an_unknown_name_in_a_nodes_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "node.env").write_text("LIENTHONG_PRT=1\n")
    with pytest.raises(SettingUnknown):
        _load(tmp_path)


def test_each_setting_is_described_once() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(setting.help.endswith(".") for setting in SETTINGS)


def test_sqlite_is_told_to_be_durable_and_to_lock_at_once(tmp_path: Path) -> None:
    described = database(f"sqlite:///{tmp_path}/x.db")
    assert described["NAME"] == f"{tmp_path}/x.db"
    options = described["OPTIONS"]
    assert isinstance(options, dict)
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in options["init_command"]


def test_a_postgresql_url_needs_the_name_of_a_database() -> None:
    assert database("postgresql://u:p%40@h:5433/lt")["PASSWORD"] == "p@"
    with pytest.raises(SettingRefused):
        database("postgresql://u:p@h:5433")


def test_https_makes_cookies_secure(tmp_path: Path) -> None:
    settings = load({"LIENTHONG_HOME": str(tmp_path), "LIENTHONG_PUBLIC_URL": "https://lt.example"})
    described = django_settings(settings, secret_key="x" * 40)
    assert described["SESSION_COOKIE_SECURE"] is True
    assert described["SECURE_HSTS_SECONDS"]
    assert described["DEBUG"] is False


def test_only_postgresql_is_pooled_and_then_no_thread_keeps_a_connection(tmp_path: Path) -> None:
    embedded = database(f"sqlite:///{tmp_path}/x.db")
    assert pooled(embedded, 8) == embedded
    described = pooled(database("postgresql://u:p@h/lt"), 8)
    assert described["CONN_MAX_AGE"] == 0
    options = described["OPTIONS"]
    assert isinstance(options, dict)
    assert options["pool"]["max_size"] == 8
    assert "lock_timeout=3s" in options["options"]


def test_no_secret_is_in_the_text_of_the_settings(tmp_path: Path) -> None:
    secrets = {
        "LIENTHONG_DATABASE_URL": "postgresql://u:hidden@h/lt",
        "LIENTHONG_REDIS_URL": "redis://:hidden@h",
        "LIENTHONG_BLOB_ACCESS_KEY": "hidden",
        "LIENTHONG_BLOB_SECRET_KEY": "hidden",
    }
    assert "hidden" not in repr(_load(tmp_path, **secrets))


@pytest.mark.parametrize("missing", ["BLOB_ENDPOINT", "BLOB_ACCESS_KEY", "BLOB_SECRET_KEY"])
def test_an_object_store_needs_an_address_and_keys(tmp_path: Path, missing: str) -> None:
    given = {
        "LIENTHONG_HOME": str(tmp_path),
        "LIENTHONG_BLOB_URL": "s3://bucket/node",
        "LIENTHONG_BLOB_ENDPOINT": "http://127.0.0.1:1",
        "LIENTHONG_BLOB_ACCESS_KEY": "a",
        "LIENTHONG_BLOB_SECRET_KEY": "s",
    }
    blob_store(load(given))
    del given[f"LIENTHONG_{missing}"]
    with pytest.raises(SettingRefused) as caught:
        blob_store(load(given))
    assert caught.value.parameters["name"] == f"LIENTHONG_{missing}"
