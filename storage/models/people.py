"""Tables of people: accounts, their roles, who stands in for whom, and failed logins."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from storage.models.columns import fixed, flag, instant, maybe_instant, owner, words


class UserAccounts(BaseUserManager["User"]):
    """Finds accounts by name for Django's session machinery."""


class User(AbstractBaseUser):
    """A person's account; `username` is what the person types."""

    username = fixed(64, unique=True)
    display_name = words()
    language = fixed(2)
    is_active = flag()
    must_change_password = flag()

    USERNAME_FIELD = "username"
    objects = UserAccounts()

    class Meta:
        db_table = "account"


class RoleBindingRow(models.Model):
    """A role that an account holds at an agency."""

    account = owner("storage.User", column="account")
    agency = words()
    role = fixed(32)
    unit = words()
    procedure = words()
    valid_from = maybe_instant()
    valid_until = maybe_instant()

    class Meta:
        db_table = "role_binding"
        indexes: ClassVar = [
            models.Index(fields=["account"], name="role_binding_account"),
            models.Index(fields=["agency", "role"], name="role_binding_agency"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "agency", "role", "unit", "procedure"], name="role_binding_once"
            )
        ]


class AbsenceRow(models.Model):
    """A period in which another account may act for this one."""

    account = owner("storage.User", column="account")
    substitute = owner("storage.User", column="substitute")
    agency = words()
    valid_from = instant()
    valid_until = instant()

    class Meta:
        db_table = "absence"
        indexes: ClassVar = [models.Index(fields=["substitute"], name="absence_substitute")]


class LoginFailureRow(models.Model):
    """One failed login, counted against an account and an address."""

    throttle_key = words()
    at = instant()

    class Meta:
        db_table = "login_failure"
        indexes: ClassVar = [models.Index(fields=["throttle_key", "at"], name="login_failure_key")]
