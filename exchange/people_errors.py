"""What can go wrong when work changes hands or somebody is away."""

from __future__ import annotations

from dossier.errors import Rejected


class ColleagueRefused(Rejected):
    """The person is unknown or may not do the task."""

    code = "colleague_refused"


class ReasonNeeded(Rejected):
    """Work changes hands with a reason only."""

    code = "reason_needed"


class NoticeUnknown(Rejected):
    """The notice is not this person's, or it is gone."""

    code = "notice_unknown"


class AbsenceUnknown(Rejected):
    """The absence is not this person's, or it is over."""

    code = "absence_unknown"
