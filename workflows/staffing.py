"""Review a procedure against a directory: who fills its roles, and who may send its messages.

What it finds keeps no version from being published, because the directory may change later; but
until then nobody can open a dossier, or the partner refuses its messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from dossier.directory import Directory, DirectoryAgency
from workflows.findings import Severity
from workflows.procedure import Procedure, Role
from workflows.review import DECLARATION, Remark, line_of


def staff(
    procedure: Procedure, directory: Directory, *, declaration: bytes, at: datetime
) -> tuple[Remark, ...]:
    """Return what the directory lacks for a procedure; `declaration` is its procedure.toml."""
    lines = declaration.decode(errors="replace").splitlines()
    return (
        *_roles(procedure, directory, lines, at=at),
        *_messages(procedure, directory, lines, at=at),
    )


def _roles(
    procedure: Procedure, directory: Directory, lines: list[str], *, at: datetime
) -> Iterator[Remark]:
    for name, role in procedure.roles.items():
        wanted = _competence(name, role)
        able = _able(name, role, directory, at=at)
        if not able:
            yield _said("role_unfilled", f"roles.{name}", lines, role=name, competence=wanted)
        if not role.bind.startswith("directory:"):
            continue
        first: dict[str, DirectoryAgency] = {}
        for one in able:
            other = first.setdefault(one.territory, one)
            if other is not one:
                yield _said(
                    "role_filled_twice",
                    f"roles.{name}",
                    lines,
                    role=name,
                    first=other.code,
                    second=one.code,
                    territory=one.territory,
                )


def _messages(
    procedure: Procedure, directory: Directory, lines: list[str], *, at: datetime
) -> Iterator[Remark]:
    able = {name: _able(name, role, directory, at=at) for name, role in procedure.roles.items()}
    for name, message in procedure.messages.items():
        clients, servers = able[message.source], able[message.to]
        if clients and servers and not _any_allowed(procedure, name, directory, clients, servers):
            yield _said("message_not_allowed", f"messages.{name}", lines, message=name)


def _any_allowed(
    procedure: Procedure,
    message_type: str,
    directory: Directory,
    clients: Sequence[DirectoryAgency],
    servers: Sequence[DirectoryAgency],
) -> bool:
    return any(
        directory.allows(
            client=client.code,
            server=server.code,
            procedure=procedure.code,
            message_type=message_type,
        )
        for client in clients
        for server in servers
        if client is not server
    )


def _able(name: str, role: Role, directory: Directory, *, at: datetime) -> list[DirectoryAgency]:
    """Return the agencies in office that can fill a role."""
    in_office = [
        one for one in directory.agencies if one.valid_until is None or one.valid_until > at
    ]
    if role.bind == "addressee":
        return [one for one in in_office if one.is_reachable]
    return [one for one in in_office if _competence(name, role) in one.competences]


def _competence(name: str, role: Role) -> str:
    """Return the competence an agency needs; who opens dossiers has the one named by the role."""
    return name if role.bind == "initiator" else role.bind.partition(":")[2]


def _said(rule: str, path: str, lines: list[str], **parameters: str) -> Remark:
    return Remark(
        rule=rule,
        severity=Severity.WARNING,
        file=DECLARATION,
        element=path,
        line=line_of(lines, path),
        parameters=parameters,
    )
