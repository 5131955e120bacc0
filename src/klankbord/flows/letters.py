"""What the desk's own mails say: a subject and plain text, in the reader's language."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from klankbord.desk.inboxes.models import Inbox, InboxState
from klankbord.desk.organisations.models import Membership, User

from .platform_words import said

Letter = tuple[str, str]


def reset_link(to: User, url: str, *, hours: int) -> Letter:
    with translation.override(to.language):
        life = ngettext(
            "The link works once, for %(hours)d hour.", "The link works once, for %(hours)d hours.", hours
        ) % {"hours": hours}
        return _("Choose a new password"), _written(
            to,
            _("Somebody, you we hope, asked for a new password for %(address)s. Choose one here:")
            % {"address": to.email},
            url,
            life + " " + _("Did you not ask for it? Then do nothing: your password stays as it is."),
        )


def password_changed(to: User) -> Letter:
    with translation.override(to.language):
        return _("Your password was changed"), _written(
            to,
            _("The password of %(address)s was changed just now, and everywhere else you were signed out.")
            % {"address": to.email},
            _("Was that not you? Ask an administrator of your organisation at once to help you."),
        )


def invitation(by: Membership, address: str, url: str, *, days: int) -> Letter:
    """To somebody who has no account yet, in the organisation's language."""
    names = {"name": by.name, "organisation": by.organisation.name}
    with translation.override(by.organisation.language):
        life = ngettext("The link works once, for %(days)d day.", "The link works once, for %(days)d days.", days)
        return _("%(name)s invites you to %(organisation)s") % names, _to_address(
            address,
            _("%(name)s invites you to answer customers together, at %(organisation)s. Take your place here:") % names,
            url,
            life % {"days": days} + " " + _("Do you not know %(name)s? Then do nothing.") % names,
        )


def second_step_removed(to: User, by: Membership) -> Letter:
    with translation.override(to.language):
        return _("Your second step to sign in was removed"), _written(
            to,
            _("%(name)s, an administrator, removed the second step of %(address)s, and you were signed out everywhere.")
            % {"name": by.name, "address": to.email},
            _("Sign in with your password, and set up another app or key at once."),
            _("Did you not ask for this? Call %(name)s, and change your password.") % {"name": by.name},
        )


def inbox_in_trouble(to: User, inbox: Inbox) -> Letter:
    with translation.override(to.language):
        subject, meaning = {
            InboxState.BROKEN: (
                _("%(inbox)s must be reconnected"),
                _("%(inbox)s no longer receives or sends anything. What your colleagues reply there waits, in order."),
            ),
            InboxState.PAUSED: (
                _("%(inbox)s has stopped its automatic messages"),
                _("%(inbox)s sends what people type. Automatic messages wait, in order, until somebody has looked."),
            ),
        }.get(
            InboxState(inbox.state),
            (
                _("%(inbox)s gets no answer from its platform"),
                _("%(inbox)s received nothing for a quarter of an hour. We go on trying, and fetch what was missed."),
            ),
        )
        name = {"inbox": inbox.name}
        reason = _("The reason: %(reason)s") % {"reason": said(inbox.state_reason)} if inbox.state_reason else ""
        page = f"{settings.PUBLIC_URL}/settings/inboxes/{inbox.id}"
        return subject % name, _written(to, meaning % name, reason, _("Look, and put it right:"), page)


def inbox_works_again(to: User, inbox: Inbox) -> Letter:
    with translation.override(to.language):
        name = {"inbox": inbox.name}
        return _("%(inbox)s works again") % name, _written(
            to, _("%(inbox)s receives and sends again. What waited leaves now, in order.") % name
        )


def webhook_paused(to: User, name: str, webhook: str) -> Letter:
    with translation.override(to.language):
        page = f"{settings.PUBLIC_URL}/settings/webhooks/{webhook}"
        return _("Webhook %(name)s is paused") % {"name": name}, _written(
            to,
            _("Nothing has arrived at %(name)s for days, so we stopped calling. What it missed can be sent later.")
            % {"name": name},
            _("Look, and put it right:"),
            page,
        )


def _written(to: User, *paragraphs: str) -> str:
    return _to_address(to.name, *paragraphs)


def _to_address(name: str, *paragraphs: str) -> str:
    """With a greeting and, beneath, where it comes from."""
    greeting = _("Hello %(name)s,") % {"name": name}
    origin = _("Klankbord, %(address)s") % {"address": settings.PUBLIC_URL}
    return "\n\n".join([greeting, *filter(None, paragraphs), f"-- \n{origin}"]) + "\n"
