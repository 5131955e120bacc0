"""Who may hear what: from session cookies to the organisation and inboxes of the people behind them, for many at once.

The number of statements does not depend on the number of readers, only on the number of their organisations. Sessions,
users and memberships are entrance tables; which inboxes somebody may see stands behind the wall, so that is read in a
short transaction that opens one organisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import constant_time_compare

from klankbord.desk.access import SEES_EVERY_INBOX
from klankbord.desk.organisations.models import User
from klankbord.flows.accounts import hash_token
from klankbord.plumbing.live import Hub

# The words under which the screens' door keeps these in a session.
_ORGANISATION = "organisation"
_TWO_FACTOR = "has_two_factor"

_SESSIONS = "SELECT key_hash, data FROM organisations_desksession WHERE key_hash = ANY(%s) AND expires_at > now()"
_MEMBERSHIPS = """
    SELECT m.user_id::text, m.id, m.organisation_id, m.role, u.password,
           o.is_demo OR NOT o.asks_second_step OR coalesce(o.second_step_from > now(), false)
      FROM organisations_membership m
      JOIN organisations_user u ON u.id = m.user_id AND u.is_active
      JOIN organisations_organisation o ON o.id = m.organisation_id
     WHERE m.user_id = ANY(%s) AND m.is_active
     ORDER BY o.created_at, m.id"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody at the desk. inboxes: ids of those they may see."""

    organisation_id: UUID
    member_id: UUID
    inboxes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Member:
    member_id: UUID
    organisation_id: UUID
    role: str
    password: str
    password_is_enough: bool


async def readers(hub: Hub, session_keys: list[str]) -> dict[str, Reader]:
    """The people behind these sessions who work in an organisation now; the others are missing."""
    async with hub.connection() as connection:
        keys = {hash_token(key): key for key in session_keys}
        cursor = await connection.execute(_SESSIONS, [list(keys)])
        sessions = {keys[each]: SessionStore().decode(data) for each, data in await cursor.fetchall()}
        users = sorted({UUID(session[SESSION_KEY]) for session in sessions.values() if SESSION_KEY in session})
        cursor = await connection.execute(_MEMBERSHIPS, [users])
        memberships: dict[str, list[_Member]] = {}
        for user, *facts in await cursor.fetchall():
            memberships.setdefault(user, []).append(_Member(*facts))
    members = {key: _member(session, memberships) for key, session in sessions.items()}
    working = {key: member for key, member in members.items() if member is not None}
    inboxes = await _inboxes(hub, list(working.values()))
    return {
        key: Reader(member.organisation_id, member.member_id, inboxes[member.member_id])
        for key, member in working.items()
    }


def _member(session: dict[str, Any], memberships: dict[str, list[_Member]]) -> _Member | None:
    """The membership that a session works in: the chosen organisation, else the oldest."""
    own = memberships.get(session.get(SESSION_KEY, ""), [])
    chosen = [each for each in own if str(each.organisation_id) == session.get(_ORGANISATION)]
    member = next(iter([*chosen, *own]), None)
    if member is None:
        return None
    # A changed password ends all sessions.
    expected = User(password=member.password).get_session_auth_hash()
    if not constant_time_compare(session.get(HASH_SESSION_KEY, ""), expected):
        return None
    return member if member.password_is_enough or session.get(_TWO_FACTOR) else None


async def _inboxes(hub: Hub, members: list[_Member]) -> dict[UUID, frozenset[str]]:
    found: dict[UUID, frozenset[str]] = {}
    for organisation_id in sorted({each.organisation_id for each in members}):
        own = [each for each in members if each.organisation_id == organisation_id]
        async with hub.connection() as connection:
            found |= await _inboxes_in(connection, organisation_id, own)
    return found


async def _inboxes_in(
    connection: psycopg.AsyncConnection[Any], organisation_id: UUID, members: list[_Member]
) -> dict[UUID, frozenset[str]]:
    # The pool's connection is in a transaction here, so the setting ends with it.
    await connection.execute(f"SET LOCAL klankbord.organisation = '{UUID(str(organisation_id))}'")
    cursor = await connection.execute(
        "SELECT id::text, is_open_to_all FROM inboxes_inbox WHERE organisation_id = %s", [organisation_id]
    )
    every = dict(await cursor.fetchall())
    cursor = await connection.execute(
        "SELECT member_id, inbox_id::text FROM inboxes_inboxmember WHERE organisation_id = %s AND member_id = ANY(%s)",
        [organisation_id, sorted({each.member_id for each in members})],
    )
    invited: dict[UUID, set[str]] = {}
    for member_id, inbox_id in await cursor.fetchall():
        invited.setdefault(member_id, set()).add(inbox_id)
    open_to_all = {inbox for inbox, is_open in every.items() if is_open}
    return {
        each.member_id: frozenset(every)
        if each.role in SEES_EVERY_INBOX
        else frozenset(open_to_all | invited.get(each.member_id, set()))
        for each in members
    }


def session_cookie(cookies: dict[str, str]) -> str:
    return cookies.get(settings.SESSION_COOKIE_NAME, "")
