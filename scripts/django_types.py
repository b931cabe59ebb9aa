"""Django's settings as module names, the only form that mypy's Django plugin can read."""

from __future__ import annotations

from exchange.django_settings import django_settings
from exchange.settings import load

_NO_SECRET = "x" * 50

globals().update(django_settings(load({}), secret_key=_NO_SECRET))
