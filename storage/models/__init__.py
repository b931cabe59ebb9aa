"""The schema: Django's models make the tables and migrations; statements are named SQL functions.

Nothing outside `storage` sees a model but `request.user` in `portal/auth`.
"""

from __future__ import annotations

from storage.models.dossiers import (
    CaseValueRow,
    DocumentRow,
    DocumentSignatureRow,
    DossierRow,
    HistoryRow,
    IncidentRow,
    NoticeRow,
    PauseRow,
)
from storage.models.instances import (
    FactRow,
    InstanceRow,
    SilenceRow,
    StartEventRow,
    SubscriptionRow,
    TaskRow,
    TimerRow,
)
from storage.models.log import CheckpointRow, LogEntryRow, LogStateRow, LogTileRow, PendingLeafRow
from storage.models.messages import (
    ArrivalRow,
    AttemptRow,
    EdxmlFileRow,
    InboxRow,
    OutgoingRow,
    PartnerCircuitRow,
    PortalSyncRow,
    WebhookEventRow,
    WebhookRow,
)
from storage.models.node import (
    DefinitionFileRow,
    DefinitionRow,
    DirectoryEditionRow,
    DossierCounterRow,
    HostedAgencyRow,
    NodeValueRow,
    ProposalFileRow,
    ProposalRow,
    RegisterRow,
    RequestNonceRow,
    RulePackFileRow,
    RulePackRow,
)
from storage.models.people import AbsenceRow, LoginFailureRow, RoleBindingRow, User
from storage.models.services import RestTokenRow, ServiceCallRow
from storage.models.traces import TraceContextRow

__all__ = [
    "AbsenceRow",
    "ArrivalRow",
    "AttemptRow",
    "CaseValueRow",
    "CheckpointRow",
    "DefinitionFileRow",
    "DefinitionRow",
    "DirectoryEditionRow",
    "DocumentRow",
    "DocumentSignatureRow",
    "DossierCounterRow",
    "DossierRow",
    "EdxmlFileRow",
    "FactRow",
    "HistoryRow",
    "HostedAgencyRow",
    "InboxRow",
    "IncidentRow",
    "InstanceRow",
    "LogEntryRow",
    "LogStateRow",
    "LogTileRow",
    "LoginFailureRow",
    "NodeValueRow",
    "NoticeRow",
    "OutgoingRow",
    "PartnerCircuitRow",
    "PauseRow",
    "PendingLeafRow",
    "PortalSyncRow",
    "ProposalFileRow",
    "ProposalRow",
    "RegisterRow",
    "RequestNonceRow",
    "RestTokenRow",
    "RoleBindingRow",
    "RulePackFileRow",
    "RulePackRow",
    "ServiceCallRow",
    "SilenceRow",
    "StartEventRow",
    "SubscriptionRow",
    "TaskRow",
    "TimerRow",
    "TraceContextRow",
    "User",
    "WebhookEventRow",
    "WebhookRow",
]
