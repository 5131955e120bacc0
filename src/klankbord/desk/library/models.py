"""What people write again and again: saved replies, and facts of the business that they name."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ..organisations.models import Membership, Team
from ..wall import OrganisationKey, Owned


class SavedReply(Owned):
    """Words to begin an answer with. Its owner's alone, a team's, or (with neither) everybody's."""

    name = models.CharField(max_length=80)  # what people look it up by
    text_nl = models.TextField(blank=True)
    text_en = models.TextField(blank=True)
    owner = models.ForeignKey(Membership, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    team = OrganisationKey(Team, null=True, related_name="+")
    uses = models.IntegerField(default=0)  # the ones used most come first
    changed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [
            models.CheckConstraint(name="saved_reply_of_one", condition=Q(owner=None) | Q(team=None)),
            models.CheckConstraint(name="saved_reply_says_something", condition=~Q(text_nl="") | ~Q(text_en="")),
        ]
        indexes = [models.Index(fields=["organisation", "-uses", "id"], name="saved_reply_by_use")]

    def __str__(self) -> str:
        return self.name

    def text_in(self, language: str) -> tuple[str, str]:
        """The words in this language, else in the other, and the language they are in."""
        if language == "nl":
            return (self.text_nl, "nl") if self.text_nl else (self.text_en, "en")
        return (self.text_en, "en") if self.text_en else (self.text_nl, "nl")


class BusinessFact(Owned):
    """Something about the business that is written in one place: opening hours, an address, a return period.

    name: stands between braces in saved replies; one word, in small letters.
    """

    name = models.CharField(max_length=40)
    value_nl = models.TextField(blank=True)
    value_en = models.TextField(blank=True)

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="business_fact_once")]

    def __str__(self) -> str:
        return self.name

    def value_in(self, language: str) -> str:
        first, other = (self.value_nl, self.value_en) if language == "nl" else (self.value_en, self.value_nl)
        return first or other
