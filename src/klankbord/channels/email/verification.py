"""Mail by which another service wants to know that we own an address: never work, and never for a bot to read.

Who can read such a mail in a support mailbox can join that company's workspace or take over an account there.
"""

from __future__ import annotations

import re

_DOMAINS = (
    "slack.com google.com x.com twitter.com facebookmail.com facebook.com instagram.com linkedin.com "
    "microsoft.com accountprotection.microsoft.com apple.com github.com gitlab.com discord.com discordapp.com "
    "zoom.us atlassian.com notion.so zendesk.com asana.com dropbox.com paypal.com amazon.com amazon.nl tiktok.com "
    "telegram.org"
)
_SERVICES = frozenset(_DOMAINS.split())
_ADDRESS = r"(?:e-?mail(?: ?adres| address|-adresse)?|account|adres|address|adresse|konto|compte|inbox)"
_WORDS = re.compile(
    rf"(?:verify|confirm|validate|activate) (?:your|this) {_ADDRESS}"
    rf"|(?:bevestig|verifieer|activeer) (?:je|jouw|uw) {_ADDRESS}"
    rf"|best[äa]tigen sie (?:ihre?n?|diese) {_ADDRESS}|best[äa]tige deine?n? {_ADDRESS}|confirmez votre {_ADDRESS}"
    r"|(?:verification|confirmation|security|sign[- ]?in|log[- ]?in|one[- ]time|authentication)"
    r" (?:code|pass(?:word|code))"
    r"|(?:verificatie|bevestigings|inlog|beveiligings|toegangs)code|(?:bestätigungs|sicherheits|anmelde)code"
    r"|code de (?:vérification|confirmation|sécurité)|\botp\b|magic link"
    r"|invited you to (?:join|work|collaborate)|heeft je uitgenodigd (?:voor|om)|join .{1,60} on slack"
    r"|reset your password|wachtwoord (?:opnieuw )?(?:instellen|herstellen)|passwort zurücksetzen",
    re.IGNORECASE,
)


def asks_to_verify(*, sender: str, subject: str, text: str, is_automatic: bool) -> bool:
    """Does another service send a code or a link to prove an address? A person who asks about one does not."""
    domain = sender.rpartition("@")[2]
    is_service = any(domain == each or domain.endswith(f".{each}") for each in _SERVICES)
    if not (is_automatic or is_service):
        return False
    return bool(_WORDS.search(subject) or _WORDS.search(text[:2_000]))
