"""What stands behind an agent's words without being typed: initials (^JV) and the inbox's signature."""

from __future__ import annotations

from klankbord.desk.inboxes.models import Inbox
from klankbord.desk.library.filling import fill
from klankbord.desk.organisations.models import Membership


def closing_of(inbox: Inbox, author: Membership) -> str:
    """As it follows the text, with its own space or empty line before it; "" when this inbox adds nothing."""
    mark = f" ^{author.initials}" if inbox.signs_with_initials and author.initials else ""
    names = {"agent": author.name, "bedrijf": author.organisation.name}
    signature = fill(inbox.signature.strip(), names).text
    return f"{mark}\n\n{signature}" if signature else mark


def signed(text: str, closing: str) -> str:
    """The text as it leaves. It is this that a platform counts."""
    return f"{text}{closing}".strip()
