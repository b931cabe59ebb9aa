"""What programs do with dossiers: open one, once for each key, and read where it stands."""

from __future__ import annotations

import uuid

from dossier.ids import ConversationId
from dossier.model import Actor, Dossier, Role, RoleBinding
from exchange import tokens
from exchange.errors import DossierUnknown
from exchange.node import Node
from exchange.submit import submit
from exchange.tokens import Client
from storage import dossiers


def start(
    node: Node, client: Client, *, procedure: str, subject: str, addressee: str, key: str
) -> tuple[Dossier, bool]:
    """Open a dossier for the client's agency; with a key that was used, return that dossier.

    Raises `OperationDenied` and what `submit` raises.
    """
    tokens.demand(client, f"dossiers:start:{procedure}")
    conversation = ConversationId(
        str(uuid.uuid5(client.token, f"start:{key}") if key else uuid.uuid4())
    )
    known = dossiers.find_conversation(client.agency, conversation)
    if known is not None:
        return known, False
    opened = submit(
        node,
        _actor(client, procedure),
        procedure=procedure,
        agency=client.agency,
        subject=subject,
        addressee=addressee,
        conversation=conversation,
    )
    return dossiers.get(opened), True


def read(client: Client, code: str) -> Dossier:
    """Return a dossier of the client's agency; raise `OperationDenied` or `DossierUnknown`."""
    tokens.demand(client, "dossiers:read")
    found = dossiers.find(client.agency, code.strip())
    if found is None:
        raise DossierUnknown("expected a dossier of the agency", code=code)
    return found


def _actor(client: Client, procedure: str) -> Actor:
    # A program acts under its own name, with exactly the role that opening a dossier takes.
    binding = RoleBinding(agency=client.agency, role=Role.INTAKE, procedure=procedure)
    return Actor(
        user_id=0,
        username=f"rest:{client.name}",
        display_name=client.name,
        language="vi",
        bindings=(binding,),
    )
