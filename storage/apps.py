"""Makes the models known to Django."""

from __future__ import annotations

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """The one app that owns tables of ours."""

    name = "storage"
    default_auto_field = "django.db.models.BigAutoField"
