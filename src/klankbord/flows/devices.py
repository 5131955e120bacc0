"""Where somebody is signed in: seen, and ended, by themselves; ended for them when they no longer work here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from klankbord.desk.organisations.models import DeskSession, User

from .accounts import hash_token


def sessions_of(user: User, *, now: datetime) -> list[DeskSession]:
    """The last one seen first."""
    return list(DeskSession.objects.filter(user=user, expires_at__gt=now).order_by("-seen_at", "-began_at"))


def is_session(session: DeskSession, key: str) -> bool:
    """Whether this is the session of a browser with that key."""
    return session.key_hash == hash_token(key)


def end(*, user: User, key_hash: str) -> bool:
    """Somebody ends one of their own; False when there is no such."""
    return bool(DeskSession.objects.filter(user=user, key_hash=key_hash).delete()[0])


def end_others(*, user: User, key: str) -> int:
    """All but the one in which they are working."""
    return int(DeskSession.objects.filter(user=user).exclude(key_hash=hash_token(key)).delete()[0])


def end_all(*, user: UUID) -> None:
    DeskSession.objects.filter(user_id=user).delete()


def forget_expired(*, now: datetime) -> None:
    DeskSession.objects.filter(expires_at__lte=now).delete()
