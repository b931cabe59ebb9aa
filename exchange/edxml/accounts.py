"""Which document services this node calls, which organs may call it, and what letters become.

One TOML file (`LIENTHONG_EDXML`); `docs/howto/speak-edxml.md` describes every key. Secrets stand in
files of their own, tokens of callers only as their SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dossier.errors import IdentifierRefused
from dossier.ids import AgencyCode, Sha256, parse_agency_code, parse_sha256, same_agency
from exchange.edxml.errors import EdxmlConfigurationRefused

_TABLES: Final = frozenset({"account", "caller", "letter", "poll_seconds"})
_ACCOUNT: Final = frozenset(
    {"agency", "dialect", "address", "organ_id", "partners", "token_file", "system_id"}
    | {"secret_file", "pads_digest"}
)
_CALLER: Final = frozenset({"organ_id", "token_sha256"})
_LETTER: Final = frozenset({"procedure", "message_type", "values"})


@dataclass(frozen=True, kw_only=True, slots=True)
class EdxmlAccount:
    """A service that we call as one of our agencies."""

    agency: AgencyCode
    dialect: str  # a or b
    address: str
    organ_id: str  # what we are called there
    partners: tuple[str, ...]  # organs reached this way; empty: all of the dialect
    secret: bytes  # the token of dialect A, the shared secret of the axis
    system_id: str = ""  # of the axis
    pads_digest: bool = True  # of the axis

    def reaches(self, organ: str) -> bool:
        """Tell whether letters for that organ go through this service."""
        return not self.partners or any(same_agency(organ, one) for one in self.partners)


@dataclass(frozen=True, kw_only=True, slots=True)
class EdxmlConfiguration:
    """What an operator said about edXML; empty where nothing was said."""

    accounts: tuple[EdxmlAccount, ...] = ()
    callers: Mapping[str, Sha256] = field(default_factory=dict)  # token digest by organ, folded
    poll_seconds: int = 60  # between two rounds of fetching and reporting
    procedure: str = ""  # that a new letter opens; empty: letters are archived only
    message_type: str = ""
    values: Mapping[str, str] = field(default_factory=dict)  # case value → field of the letter

    def account_for(self, agency: str, organ: str, *, dialect: str) -> EdxmlAccount | None:
        """Return the service through which `agency` reaches an organ."""
        return next(
            (
                one
                for one in self.accounts
                if one.dialect == dialect and same_agency(one.agency, agency) and one.reaches(organ)
            ),
            None,
        )

    def knows(self, organ: str, token: str) -> bool:
        """Tell whether a token is that organ's, in constant time."""
        kept = self.callers.get(organ.casefold(), "")
        given = hashlib.sha256(token.encode()).hexdigest()
        return hmac.compare_digest(given, kept or "0" * 64) and bool(kept)


def read_configuration(path: Path) -> EdxmlConfiguration:
    """Return what the file says, nothing for a file that is not there.

    Raises `EdxmlConfigurationRefused` naming the key.
    """
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return EdxmlConfiguration()
    except (OSError, ValueError) as exc:
        raise _refused(path.name, f"readable TOML ({exc})") from exc
    _known(said, _TABLES, "the file")
    letter = _table(said, "letter")
    _known(letter, _LETTER, "letter")
    callers = _tables(said, "caller")
    for one in callers:
        _known(one, _CALLER, "caller")
    values = _table(letter, "values")
    return EdxmlConfiguration(
        accounts=tuple(_account(one, path.parent) for one in _tables(said, "account")),
        callers={_text(one, "organ_id").casefold(): _digest(one) for one in callers},
        poll_seconds=_seconds(said),
        procedure=str(letter.get("procedure", "")),
        message_type=str(letter.get("message_type", "")),
        values={str(name): str(value) for name, value in values.items()},
    )


def _account(said: Mapping[str, Any], folder: Path) -> EdxmlAccount:
    _known(said, _ACCOUNT, "account")
    dialect = _text(said, "dialect")
    if dialect not in ("a", "b"):
        raise _refused("account.dialect", "a or b")
    secret_name = "token_file" if dialect == "a" else "secret_file"
    try:
        agency = parse_agency_code(_text(said, "agency"))
        secret = (folder / _text(said, secret_name)).read_text("utf-8").strip()
    except IdentifierRefused as exc:
        raise _refused("account.agency", "the code of an agency of this node") from exc
    except OSError as exc:
        raise _refused(f"account.{secret_name}", f"a readable file ({exc.strerror})") from exc
    return EdxmlAccount(
        agency=agency,
        dialect=dialect,
        address=_text(said, "address"),
        organ_id=str(said.get("organ_id") or agency),
        partners=tuple(str(one) for one in said.get("partners", ())),
        secret=secret.encode(),
        system_id=_text(said, "system_id") if dialect == "b" else "",
        pads_digest=bool(said.get("pads_digest", True)),
    )


def _seconds(said: Mapping[str, Any]) -> int:
    found = said.get("poll_seconds", 60)
    if not isinstance(found, int) or not 1 <= found <= 86_400:
        raise _refused("poll_seconds", "a whole number from 1 to 86400")
    return found


def _digest(said: Mapping[str, Any]) -> Sha256:
    try:
        return parse_sha256(_text(said, "token_sha256"))
    except IdentifierRefused as exc:
        raise _refused("caller.token_sha256", "the SHA-256 of the token in hexadecimal") from exc


def _known(said: Mapping[str, Any], names: frozenset[str], where: str) -> None:
    unknown = sorted(set(said) - names)
    if unknown:
        raise _refused(f"{where}: {unknown[0]}", "one of " + ", ".join(sorted(names)))


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name, {})
    if not isinstance(found, Mapping):
        raise _refused(name, "a table")
    return found


def _tables(said: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = said.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise _refused(name, f"tables [[{name}]]")
    return found


def _text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not found:
        raise _refused(name, "text")
    return found


def _refused(name: str, expected: str) -> EdxmlConfigurationRefused:
    return EdxmlConfigurationRefused(
        f"expected {expected} in {name}", name=name[:80], expected=expected[:200]
    )
