"""What other systems can be told of: our events under names that will not change."""

from __future__ import annotations

TEST = "test.ping"

# Name → the kind of event that we record.
HAPPENINGS: dict[str, str] = {
    "conversation.opened": "conversation opened",
    "conversation.assigned": "conversation assigned",
    "conversation.pending": "conversation set to pending",
    "conversation.snoozed": "conversation snoozed",
    "conversation.woken": "conversation woken",
    "conversation.resolved": "conversation resolved",
    "conversation.reopened": "conversation opened again",
    "conversation.spam": "conversation marked as spam",
    "label.added": "label added",
    "label.removed": "label removed",
    "message.received": "message received",
    "message.sent": "reply sent",
    "message.failed": "reply failed",
    "message.uncertain": "reply uncertain",
    "note.written": "note written",
}
NAMES = {kind: name for name, kind in HAPPENINGS.items()}
