"""What an administrator fills in to connect a mailbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from klankbord.contract import ask
from klankbord.kernel import text as texts

from . import addresses

_SECURITY = ("tls", "starttls", "none")


@dataclass(frozen=True)
class Credentials:
    """security: "tls", "starttls" or "none" (accepted on this machine only). own_addresses: one a line.

    authserv_id: the name under which our own mail server signs its verdicts; "" leaves them unread.
    has_plus_addresses: mail to name+anything@ reaches this mailbox as well.
    """

    address: str = field(metadata=ask("E-mail address", "Customers write to it and get answers from it.", kind="email"))
    display_name: str = field(
        default="",
        metadata=ask("Sender's name", "Shown to customers, for example “Customer service Example”.", is_required=False),
    )
    imap_host: str = field(default="", metadata=ask("Incoming mail server (IMAP)", "For example imap.example.nl."))
    imap_port: int = field(default=993, metadata=ask("IMAP port", "993 with tls, 143 with starttls.", kind="number"))
    imap_security: str = field(default="tls", metadata=ask("IMAP security", choices=_SECURITY))
    imap_user: str = field(default="", metadata=ask("IMAP user name", "Often the e-mail address."))
    imap_password: str = field(
        default="",
        metadata=ask("IMAP password", "With two-step sign-in: an app password.", is_secret=True, kind="password"),
    )
    smtp_host: str = field(default="", metadata=ask("Outgoing mail server (SMTP)", "For example smtp.example.nl."))
    smtp_port: int = field(default=587, metadata=ask("SMTP port", "587 with starttls, 465 with tls.", kind="number"))
    smtp_security: str = field(default="starttls", metadata=ask("SMTP security", choices=_SECURITY))
    smtp_user: str = field(
        default="", metadata=ask("SMTP user name", "Empty: the same as for IMAP.", is_required=False)
    )
    smtp_password: str = field(
        default="",
        metadata=ask(
            "SMTP password", "Empty: the same as for IMAP.", is_secret=True, is_required=False, kind="password"
        ),
    )
    folder: str = field(default="INBOX", metadata=ask("Folder", "The folder that is read; nothing is moved or marked."))
    own_addresses: str = field(
        default="",
        metadata=ask(
            "Other addresses of your own",
            "One a line. Mail from these is never taken for a customer's.",
            is_required=False,
            kind="lines",
        ),
    )
    has_plus_addresses: bool = field(
        default=False,
        metadata=ask(
            "Plus addresses arrive here",
            "Tick when mail to name+test@your-domain reaches this mailbox; try it first. Answers and bounces then find "
            "their conversation even when a mail program drops the headers.",
            is_required=False,
            kind="tick",
        ),
    )
    authserv_id: str = field(
        default="",
        metadata=ask(
            "Name of your mail server in Authentication-Results",
            "The first word of that header in a mail you received, for example mx.example.nl. Empty: not checked.",
            is_required=False,
        ),
    )

    @cached_property
    def mailbox(self) -> str:
        """Our address in its normal form."""
        return addresses.normalise(self.address) or self.address.strip().lower()

    @property
    def domain(self) -> str:
        return self.mailbox.rpartition("@")[2]

    def is_ours(self, address: str) -> bool:
        """Is this (normalised) address one of our own, with or without something after a plus?"""
        return address in self._ours or addresses.without_plus(address) in self._ours

    @cached_property
    def _ours(self) -> frozenset[str]:
        extra = (addresses.normalise(each) for each in texts.clean(self.own_addresses).replace(",", "\n").split("\n"))
        return frozenset({self.mailbox, *extra} - {""})
