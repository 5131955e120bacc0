"""A small mail server for the demo and for faults: SMTP in, IMAP out, reports for people who do not exist.

It knows the shop's mailboxes and the customers'. What a real server does is shown elsewhere with Dovecot and Postfix.
"""

from .fake import MailServer

__all__ = ["MailServer"]
