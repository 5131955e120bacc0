"""Rows beside the index: which words an organisation uses, and how far the index has been made the present way."""

from __future__ import annotations

from uuid import UUID

from django.db import models

from ..wall import Owned


class KnownWord(Owned):
    """A word that occurs in messages of an inbox: what "did you mean" may offer to those who see that inbox.

    head, tail: its first two and last two letters; a slip in one place leaves one of them whole. count: in how many
    messages, no further than vocabulary.MANY.
    """

    inbox_id = models.UUIDField()
    word = models.CharField(max_length=24)
    head = models.CharField(max_length=2)
    tail = models.CharField(max_length=2)
    count = models.IntegerField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation", "inbox_id", "word"], name="known_word_once")]
        indexes = [
            models.Index(fields=["organisation", "head"], name="known_word_by_head"),
            models.Index(fields=["organisation", "tail"], name="known_word_by_tail"),
        ]


class IndexProgress(Owned):
    """Up to which message the words of an organisation are learned, and made findable in the present way.

    version: of the index. until: documents of messages up to here are made anew; later ones are made right at once.
    reached: the last message that was looked at (ids go by time).
    """

    version = models.SmallIntegerField()
    until = models.UUIDField()
    reached = models.UUIDField(default=UUID(int=0))

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["organisation"], name="one_index_progress")]
