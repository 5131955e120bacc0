"""What channels say in English is read in the reader's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from klankbord.flows.platform_words import said


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Telegram has trouble.", "Telegram heeft een storing."),
        (
            "The incoming mail server refuses this user name and password: [AUTHENTICATIONFAILED] No: 3 tries.",
            "De server voor inkomende mail weigert deze gebruikersnaam en dit wachtwoord: [AUTHENTICATIONFAILED] No: "
            "3 tries.",
        ),
        (
            "The mail is 31 MB; the outgoing mail server takes 25 MB at most.",
            "De mail is 31 MB; de server voor uitgaande mail neemt hoogstens 25 MB aan.",
        ),
        ("Something nobody translated: 12 {} times", "Something nobody translated: 12 {} times"),
        ("", ""),
    ],
    ids=["whole", "with their words", "with numbers", "unknown", "nothing"],
)
def test_a_sentence_of_a_channel_is_said_in_dutch(theirs, ours):
    with translation.override("nl"):
        assert said(theirs) == ours
    with translation.override("en"):
        assert said(theirs) == theirs
