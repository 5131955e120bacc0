"""Visitors who chat on a site: from the widget's door to the same intake as every other channel, and back.

The door finds the widget by its public key and the visitor by their token (`entering`) → what they write becomes a
durable delivery (`writing`), files go into the store first (`files`) → intake makes messages of it → what the desk
answers in that visitor's own thread is what they may read (`reading`) → an answer that stays unread goes by mail, once
(`mailing`). Without a script they ask by a form (`asking`), and all answers go by mail. How often who may knock is
counted in the database (`knocking`).

A visitor never names an organisation, a conversation or a contact: all follows from their token. Every function here
opens the wall itself.
"""

from .asking import ask
from .entering import Identity, Visit, Widget, find_visit, find_widget, forget_idle_visitors, start_visit
from .files import NoSuchFile, TooManyFiles, add_file, forget_unsent_files, open_file
from .knocking import Rate, forget_knocks, knock
from .mailing import can_mail, mail_unseen
from .reading import History, Line, LineFile, history, mark_read
from .writing import LostFile, Page, is_visitor_typing, leave_address, send_message, typing

__all__ = [
    "History",
    "Identity",
    "Line",
    "LineFile",
    "LostFile",
    "NoSuchFile",
    "Page",
    "Rate",
    "TooManyFiles",
    "Visit",
    "Widget",
    "add_file",
    "ask",
    "can_mail",
    "find_visit",
    "find_widget",
    "forget_idle_visitors",
    "forget_knocks",
    "forget_unsent_files",
    "history",
    "is_visitor_typing",
    "knock",
    "leave_address",
    "mail_unseen",
    "mark_read",
    "open_file",
    "send_message",
    "start_visit",
    "typing",
]
