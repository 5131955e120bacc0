"""Changing a conversation only as it was when somebody looked: two who saw the same version cannot both change it."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from klankbord.desk import access
from klankbord.desk.conversations.cases import lock_cases
from klankbord.desk.conversations.models import Conversation
from klankbord.desk.errors import DeskError
from klankbord.desk.integrations import reading
from klankbord.desk.organisations.models import Membership


class Changed(DeskError):
    status = 412
    default = _("Somebody else changed this conversation in the meantime. Look at it again.")


def hold(*, number: int, versions: Collection[str] | None, by: Membership) -> Conversation:
    """Lock a conversation until the transaction ends. versions: those in which it may be changed, None for any.

    Raises NotFound, Changed.
    """
    access.require(by, "answer")
    found = access.conversation_for(by, number)
    lock_cases([found.id])
    if versions is not None:
        seen = reading.conversation(number, inboxes=[found.inbox_id])
        if seen is None or seen[1] not in versions:
            raise Changed
    return access.conversation_for(by, number)
