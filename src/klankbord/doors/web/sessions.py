"""Sessions in the database under the hash of what the cookie says: whoever reads the table can borrow none of them.

Beside its data a session holds whose it is and from where, so that people can see and end their own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone

from klankbord.desk import rows
from klankbord.desk.organisations.models import DeskSession
from klankbord.flows.accounts import hash_token

DEVICE, ORIGIN = "device", "origin"  # the words under which a session's data keeps them
_SEEN_AGAIN = timedelta(minutes=5)


class SessionStore(SessionBase):
    def exists(self, session_key: str) -> bool:
        return DeskSession.objects.filter(key_hash=hash_token(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        user = data.get(SESSION_KEY)
        facts: dict[str, Any] = {
            "data": self.encode(data),
            "user_id": UUID(user) if user else None,
            "device": str(data.get(DEVICE, "")),
            "origin": str(data.get(ORIGIN, "")),
            "expires_at": self.get_expiry_date(),
        }
        key_hash, now = hash_token(self.session_key), timezone.now()
        if not must_create:
            if not DeskSession.objects.filter(key_hash=key_hash).update(**facts):
                raise UpdateError  # it was ended meanwhile
            return None
        try:
            with transaction.atomic():
                DeskSession.objects.create(key_hash=key_hash, began_at=now, seen_at=now, **facts)
        except IntegrityError:
            raise CreateError from None
        return None

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            DeskSession.objects.filter(key_hash=hash_token(key)).delete()

    def load(self) -> dict[str, Any]:
        now = timezone.now()
        found = rows.run(
            "SELECT data, seen_at FROM organisations_desksession WHERE key_hash = %s AND expires_at > %s",
            [hash_token(self.session_key or ""), now],
        )
        if not found:
            self._session_key = None
            return {}
        data, seen_at = found[0]
        self._note_seen(seen_at, now)
        kept: dict[str, Any] = self.decode(data)
        return kept

    def _note_seen(self, seen_at: datetime, now: datetime) -> None:
        """Now and then, not with every request."""
        if now - seen_at >= _SEEN_AGAIN:
            DeskSession.objects.filter(key_hash=hash_token(self.session_key or "")).update(seen_at=now)

    @classmethod
    def clear_expired(cls) -> None:
        DeskSession.objects.filter(expires_at__lt=timezone.now()).delete()
