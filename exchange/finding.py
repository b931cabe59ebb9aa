"""One thing that an examination of a node looked at."""

from __future__ import annotations

from dataclasses import dataclass

from dossier.texts import Language, render


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at."""

    code: str
    is_good: bool
    parameters: dict[str, str | int]

    def say(self, language: Language) -> str:
        """Return the finding in words."""
        kind = "check_good" if self.is_good else "check_bad"
        return render(kind, self.code, language, **self.parameters)


def finding(code: str, is_good: bool, **parameters: str | int) -> Finding:
    """Return a finding with what its sentence names."""
    return Finding(code=code, is_good=is_good, parameters=parameters)
