"""Expected errors of the desk: each says what happened and what a person can do, in the reader's language."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _


class DeskError(Exception):
    """Something a person asked for cannot be done. `sentence` is for people, `status` for the door."""

    status: ClassVar[int] = 409
    default = _("That could not be done. Reload the page and try again.")

    def __init__(self, sentence: str = "") -> None:
        self.sentence = str(sentence or self.default)
        super().__init__(self.sentence)


class NotFound(DeskError):
    """It does not exist, or this person may not see it: outsiders cannot tell the two apart."""

    status = 404
    default = _("This does not exist, or you may not see it.")


class NotAllowed(DeskError):
    status = 403
    default = _("Your role does not allow this. Ask an administrator of your organisation.")


class Invalid(DeskError):
    status = 422
    default = _("Something in the form is not right. Check it and try again.")


class SnoozeInPast(DeskError):
    status = 422
    default = _("Choose a moment later than now.")


class NotWaiting(DeskError):
    default = _("Somebody else changed this conversation in the meantime. Look at it again.")


class CannotReply(DeskError):
    """The channel, the thread or the text does not allow this reply."""


class SomebodyAnswered(DeskError):
    """A colleague answered since this person last looked; sending again confirms."""

    default = _("A colleague answered in the meantime. Read it first, or send yours as well.")


class BecomesPublic(DeskError):
    """What was private would be there for everybody; sending again confirms."""

    default = _("You began this in private. In public, everybody can read it.")


class NeedsApproval(DeskError):
    """A trainee's words leave when a colleague has looked at them."""

    default = _("A colleague looks at your replies before they leave. Propose this one.")


class TooLate(DeskError):
    default = _("Too late to take it back: it has already left.")


class Merged(DeskError):
    default = _("This conversation went on in another one. Open it again to be led there.")
