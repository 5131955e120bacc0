"""The deeds of the audit log in words, as they are said behind the name of who did them."""

from __future__ import annotations

from django.utils.translation import gettext as _


def deed_words(deed: str) -> str:
    """A deed that has no words yet is shown as it was written down."""
    words = {
        "signed in": _("Signed in"),
        "signed out": _("Signed out"),
        "sign-in failed": _("Wrong password"),
        "sign-in locked": _("Locked out for five minutes: too many wrong passwords"),
        "second step failed": _("Wrong code at the second step"),
        "two-step added": _("Switched two-step sign-in on"),
        "two-step removed": _("Switched two-step sign-in off"),
        "recovery codes made": _("Made recovery codes"),
        "password changed": _("Changed the password"),
        "password reset": _("Chose a new password by a link"),
        "reset link sent": _("Was sent a link to choose a new password"),
        "reset link made": _("Was given a link to choose a new password, made on the machine itself"),
        "contact blocked": _("Blocked a contact"),
        "contact unblocked": _("Unblocked a contact"),
        "contacts merged": _("Merged two contacts"),
        "merge undone": _("Parted two contacts again"),
        "inbox connected": _("Connected an inbox"),
        "inbox reconnected": _("Reconnected an inbox"),
        "inbox changed": _("Changed an inbox' settings"),
        "inbox members changed": _("Changed who sees an inbox"),
        "inbox paused": _("Paused sending"),
        "inbox resumed": _("Let sending go on"),
        "inbox disconnected": _("Disconnected an inbox"),
        "inbox broke": _("An inbox broke: its platform refused us"),
        "person invited": _("Invited somebody"),
        "person invited again": _("Invited somebody again"),
        "invitation withdrawn": _("Withdrew an invitation"),
        "invitation accepted": _("Took their place"),
        "role changed": _("Changed somebody's role"),
        "inboxes of a person changed": _("Changed which inboxes somebody sees"),
        "person left": _("Let somebody go"),
        "person came back": _("Let somebody back in"),
        "second step removed by an administrator": _("Removed somebody's second step"),
        "session ended": _("Ended a session of their own"),
        "team made": _("Made a team"),
        "team changed": _("Changed a team"),
        "team removed": _("Removed a team"),
        "label made": _("Made a label"),
        "label changed": _("Changed a label"),
        "labels merged": _("Merged two labels"),
        "label removed": _("Removed a label"),
        "organisation changed": _("Changed the organisation's settings"),
        "sending stopped by itself": _("Sending stopped by itself: too much at once"),
    }
    return words.get(deed, deed)
