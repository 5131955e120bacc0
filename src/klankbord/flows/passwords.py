"""A forgotten password: a link that opens once, for two hours, by mail or out of an administrator's hands.

page → errand → here: is the address somebody's? → link → mail. The page itself does not know, so it cannot tell.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from klankbord.desk.organisations.models import ResetLink, User
from klankbord.kernel.ids import random_token

from . import audit, deskmail, errands, letters
from .accounts import hash_token

LIFE = timedelta(hours=2)


def ask_for_link(*, address: str, now: datetime) -> None:
    """Somebody says that this address is theirs. Costs the same whether or not it is anybody's."""
    if deskmail.can_send():
        errands.leave("reset link", address=address[:254], now=now)


def send_link(*, address: str, errand: UUID, now: datetime) -> None:
    """The errand: a mail when somebody works here under this address, else nothing."""
    user = person(address)
    if user is not None:
        subject, text = letters.reset_link(user, make_link(user, now=now), hours=LIFE // timedelta(hours=1))
        deskmail.send(to=user.email, subject=subject, text=text, errand=errand, now=now)
        audit.write_down("reset link sent", user=user.id, now=now)


def person(address: str) -> User | None:
    """Who signs in with this address and works somewhere."""
    found = User.objects.filter(email=User.objects.normalise(address), is_active=True, memberships__is_active=True)
    return found.distinct().first()


def make_link(user: User, *, now: datetime) -> str:
    """An address under which this person can choose a new password, once. Only a hash of it is kept."""
    ResetLink.objects.filter(user=user, expires_at__lte=now).delete()
    token = random_token()
    ResetLink.objects.create(token_hash=hash_token(token), user=user, expires_at=now + LIFE)
    return f"{settings.PUBLIC_URL}/accounts/password/reset/{user.id.hex}/{token}/"


def forget_links(user: User) -> None:
    """A new password was chosen: links that were given out before open nothing any more."""
    ResetLink.objects.filter(user=user).delete()


class ResetTokens:
    """What the library that shows the pages asks of a maker of tokens."""

    def make_token(self, user: User) -> str:
        return make_link(user, now=timezone.now()).rstrip("/").rpartition("/")[2]

    def check_token(self, user: User, token: str) -> bool:
        found = ResetLink.objects.filter(token_hash=hash_token(token), user=user, expires_at__gt=timezone.now())
        return user.is_active and found.exists()
