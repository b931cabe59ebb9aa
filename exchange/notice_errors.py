"""What can go wrong with subscriptions to notifications."""

from __future__ import annotations

from dossier.errors import Conflict, Misconfigured, Rejected


class WebhookNameTaken(Conflict):
    """There is a subscription of that name."""

    code = "webhook_name_taken"


class WebhookUnknown(Rejected):
    """There is no subscription of that name, or the name cannot be one."""

    code = "webhook_unknown"


class WebhookKindUnknown(Rejected):
    """Nothing of that kind is ever told."""

    code = "webhook_kind_unknown"


class WebhookSecretRefused(Misconfigured):
    """The file with the shared secret cannot be read, or the secret is too short."""

    code = "webhook_secret_refused"
