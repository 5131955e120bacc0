"""Tokens: how another system says who it is.

administrator or person → token, shown once → entrance row with its hash → each request finds who asks, and what they
may ask, in one statement (`find_caller`), takes from its rate (`take`), and only then opens the wall. A token is a
person's, or an integration's: another system with a role of its own. The role, and whether the person still works
here, are looked at with every request.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from klankbord.desk import access, rows
from klankbord.desk.errors import Invalid, NotFound
from klankbord.desk.integrations.models import ApiToken, Integration, TokenRoute
from klankbord.desk.integrations.scopes import known
from klankbord.desk.organisations.models import AuditLine, Membership, Organisation, Role, User
from klankbord.desk.rows import run
from klankbord.desk.wall import current_organisation_id
from klankbord.kernel.ids import uuid7
from klankbord.kernel.text import one_line

PREFIX = "kb_"  # so that those who search code for leaked secrets find ours
BURST, PER_MINUTE = 300, 1_200  # requests of one token
_NOTED_EVERY = timedelta(minutes=5)
_HOST = "integration.invalid"  # nobody receives mail there
_WHO = rows.Instances(m=Membership, u=User, o=Organisation)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. member acts, within the scopes."""

    token_id: UUID
    member: Membership
    scopes: frozenset[str]
    is_integration: bool

    @property
    def organisation_id(self) -> UUID:
        return UUID(str(self.member.organisation_id))


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left of a rate after a request. wait: seconds until the next one, 0 when this one may go on.
    full_in: seconds until all of it is there again."""

    left: int
    wait: int
    full_in: int


def make_token(
    *,
    name: str,
    scopes: Iterable[str],
    by: Membership,
    now: datetime,
    expires_at: datetime | None = None,
    integration: UUID | None = None,
) -> tuple[ApiToken, str]:
    """A token for oneself or, with an integration, for that: what is kept of it, and the token. Raises Invalid."""
    access.require(by, "manage integrations" if integration else "use tokens")
    name, chosen = one_line(name, limit=80), known(scopes)
    if not name:
        raise Invalid(_("Give it a name, so that you know later what uses it."))
    if not chosen:
        raise Invalid(_("Choose what it may do."))
    if expires_at is not None and expires_at <= now:
        raise Invalid(_("Choose a moment later than now."))
    place = _integration(integration) if integration else None
    member = place.member if place else by
    token = PREFIX + secrets.token_urlsafe(32)
    made: ApiToken = ApiToken.objects.create(
        id=uuid7(), name=name, member=member, integration=place, scopes=chosen, ending=token[-4:], created_by=by,
        created_at=now, expires_at=expires_at,
    )  # fmt: skip
    TokenRoute.objects.create(
        token_hash=_hashed(token), organisation_id=current_organisation_id(), token_id=made.id, member_id=member.id,
        is_integration=place is not None, scopes=chosen, expires_at=expires_at,
    )  # fmt: skip
    _write_down("token made", made, by, now, scopes=chosen)
    return made, token


def revoke(*, token: UUID, by: Membership, now: datetime) -> None:
    """From now on it opens nothing. One's own, or anybody's for who manages integrations."""
    found = _tokens(by).filter(id=token, revoked_at=None).first()
    if found is None:
        raise NotFound
    _revoke(found, by, now)


def tokens_for(by: Membership) -> list[tuple[ApiToken, datetime | None]]:
    """Those that work, newest first, each with when it was last used: one's own, or all for who manages them."""
    found = list(_tokens(by).filter(revoked_at=None).select_related("member__user").order_by("-created_at", "-id"))
    used = dict(TokenRoute.objects.filter(token_id__in=[each.id for each in found]).values_list("token_id", "used_at"))
    return [(each, used.get(each.id)) for each in found]


def make_integration(*, name: str, role: str, by: Membership, now: datetime) -> Integration:
    """Another system that works here. Not an administrator: what manages people should be a person."""
    access.require(by, "manage integrations")
    name = one_line(name, limit=80)
    if not name:
        raise Invalid(_("Give it a name, so that you know later what uses it."))
    if role not in {Role.AGENT, Role.LEAD, Role.ANALYST}:
        raise Invalid
    key = uuid7()
    user = User(email=f"{key.hex}@{_HOST}", name=name, language=by.organisation.language, is_active=False)
    user.set_unusable_password()
    user.save()
    member = Membership.objects.create(user=user, organisation=by.organisation, role=role, is_active=False)
    made: Integration = Integration.objects.create(id=key, member=member, created_by=by, created_at=now)
    _audit("integration made", key, by, now, name=name, role=role)
    return made


def end_integration(*, integration: UUID, by: Membership, now: datetime) -> None:
    """It works here no more; what it wrote stays."""
    access.require(by, "manage integrations")
    found = _integration(integration)
    for token in ApiToken.objects.filter(integration=found, revoked_at=None):
        _revoke(token, by, now)
    Integration.objects.filter(id=found.id).update(ended_at=now)
    _audit("integration ended", found.id, by, now, name=found.member.name)


def integrations(by: Membership) -> list[Integration]:
    access.require(by, "manage integrations")
    return list(Integration.objects.filter(ended_at=None).select_related("member__user").order_by("created_at"))


def find_caller(token: str, *, now: datetime) -> Caller | None:
    """Who asks with this token; None when it is unknown, expired or revoked, or its person does not work here."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    token_hash = _hashed(token)
    found = run(
        f"""SELECT r.token_id, r.is_integration, r.scopes, r.expires_at, r.used_at, {_WHO.columns}
              FROM integrations_tokenroute r
              JOIN organisations_membership m ON m.id = r.member_id AND m.organisation_id = r.organisation_id
              JOIN organisations_user u ON u.id = m.user_id
              JOIN organisations_organisation o ON o.id = m.organisation_id
             WHERE r.token_hash = %s""",
        [token_hash],
    )
    if not found:
        return None
    token_id, is_integration, scopes, expires_at, used_at = found[0][:5]
    member, user, organisation = _WHO.of(found[0][5:])
    member.user, member.organisation = user, organisation
    if expires_at is not None and expires_at <= now:
        return None
    if is_integration:
        member.is_active = True  # for this request: no person could have come in by it
        member.organisation.answering_takes = False  # nor does it own what it answers
    elif not (member.is_active and member.user.is_active):
        return None
    if used_at is None or now - used_at > _NOTED_EVERY:
        run("UPDATE integrations_tokenroute SET used_at = %s WHERE token_hash = %s", [now, token_hash])
    return Caller(token_id, member, frozenset(scopes), is_integration)


# One moment is kept for each token: when all of its rate will be there again. The same table, for all processes, as for
# the widget's visitors.
_TAKE = """
    WITH taken AS (
        INSERT INTO inboxes_knock AS k (who, free_at) VALUES (%(who)s, %(now)s::timestamptz + %(gap)s)
        ON CONFLICT (who) DO UPDATE SET free_at = GREATEST(k.free_at, %(now)s::timestamptz) + %(gap)s
         WHERE GREATEST(k.free_at, %(now)s::timestamptz) + %(gap)s <= %(now)s::timestamptz + %(room)s
        RETURNING free_at)
    SELECT true, EXTRACT(EPOCH FROM free_at - %(now)s::timestamptz)::float8 FROM taken
     UNION ALL
    SELECT false, EXTRACT(EPOCH FROM free_at - %(now)s::timestamptz)::float8 FROM inboxes_knock
     WHERE who = %(who)s AND NOT EXISTS (SELECT FROM taken)"""


def take(token: UUID, *, now: datetime) -> Taken:
    """Take one request from a token's rate. Outside any transaction: requests of one token must not wait in line."""
    gap = 60.0 / PER_MINUTE
    who = sha256(f"requests {token}".encode()).hexdigest()
    given = {"who": who, "gap": timedelta(seconds=gap), "room": timedelta(seconds=gap * BURST), "now": now}
    [(is_taken, full_in)] = run(_TAKE, given)
    left = max(0, int((gap * BURST - full_in) / gap))
    wait = 0 if is_taken else max(1, round(full_in + gap - gap * BURST))
    return Taken(left, wait, max(1, round(full_in)))


def _tokens(by: Membership) -> Any:
    found = ApiToken.objects.all()
    if access.may(by, "manage integrations"):
        return found
    access.require(by, "use tokens")
    return found.filter(Q(member=by, integration=None))


def _integration(integration: UUID) -> Integration:
    found = Integration.objects.filter(id=integration, ended_at=None).select_related("member__user").first()
    if found is None:
        raise NotFound
    return found


def _revoke(token: ApiToken, by: Membership, now: datetime) -> None:
    TokenRoute.objects.filter(token_id=token.id, organisation_id=current_organisation_id()).delete()
    ApiToken.objects.filter(id=token.id).update(revoked_at=now)
    _write_down("token revoked", token, by, now)


def _write_down(deed: str, token: ApiToken, by: Membership, now: datetime, **facts: Any) -> None:
    _audit(deed, token.id, by, now, subject="token", name=token.name, ending=token.ending, **facts)


def _audit(
    deed: str, about: UUID, by: Membership, now: datetime, *, subject: str = "integration", **facts: Any
) -> None:
    AuditLine.objects.create(at=now, by=by, deed=deed, subject=subject, subject_id=about, facts=facts)


def _hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()
