"""The one checker of all faults: it reads the database and the far platform's log, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from klankbord_simulator.record import Entry
from klankbord_simulator.stories.volume import Number, judge, read_number

from .house import House, Target

_OUTCOMES = ("message", "change", "duplicate", "ignored", "dead")


def check_intake(house: House, target: Target, accepted: Iterable[Number], *, run: str = "f") -> None:
    """I1 nothing accepted is lost, I2 nothing is doubled, I4 in order, I6 the ledger adds up, I7 nothing waits."""
    accepted = set(accepted)
    threads: dict[str, list[str]] = {}
    for place, text in house.rows(
        "SELECT t.place_key, m.text FROM conversations_message m JOIN conversations_thread t ON t.id = m.thread_id"
        " WHERE m.inbox_id = %s AND m.kind = 'inbound' ORDER BY m.at, m.id",
        target.inbox,
    ):
        threads.setdefault(place, []).append(text)
    verdict = judge(accepted, threads.values(), run=run)
    assert not verdict.lost, f"I1: {len(verdict.lost)} of {len(accepted)} lost, such as {min(verdict.lost)}"
    assert not verdict.doubled, f"I2: {len(verdict.doubled)} doubled, such as {min(verdict.doubled)}"
    assert not verdict.out_of_order, f"I4: {len(verdict.out_of_order)} out of order, {min(verdict.out_of_order)}"
    _check_conversations(house, target)
    check_ledger(house, target)
    check_nothing_waits(house)


def _check_conversations(house: House, target: Target) -> None:
    """I2, I4: a place has one conversation, which counts its messages and shows the newest."""
    split = house.one(
        "SELECT count(*) FROM (SELECT 1 FROM conversations_thread WHERE inbox_id = %s"
        " GROUP BY place_key HAVING count(DISTINCT conversation_id) > 1) AS split",
        target.inbox,
    )
    assert split == 0, f"I2: {split} places have more than one conversation"
    wrong = house.rows(
        "SELECT c.number, c.message_count, m.count, c.preview, m.newest FROM conversations_conversation c"
        " JOIN (SELECT conversation_id, count(*) AS count, (array_agg(text ORDER BY at DESC, id DESC))[1] AS newest"
        "         FROM conversations_message WHERE kind = 'inbound' GROUP BY conversation_id) m"
        "   ON m.conversation_id = c.id"
        " WHERE c.inbox_id = %s AND c.preview_by = 'contact' AND (c.message_count <> m.count OR c.preview <> m.newest)",
        target.inbox,
    )
    assert not wrong, f"I4: {len(wrong)} conversations show something else than their newest message: {wrong[0]}"
    [(numbers, distinct)] = house.rows("SELECT count(*), count(DISTINCT number) FROM conversations_conversation")
    assert numbers == distinct, "two conversations have one number"


def check_ledger(house: House, target: Target) -> None:
    """I6: every accepted item has exactly one outcome, and the sums agree with the deliveries themselves."""
    ledger = Counter(
        dict(house.rows("SELECT outcome, sum(count)::int FROM inboxes_ledgerline WHERE inbox_id = %s GROUP BY 1",
                        target.inbox))
    )  # fmt: skip
    waiting = house.one("SELECT count(*) FROM inboxes_delivery WHERE inbox_id = %s AND is_waiting", target.inbox)
    assert ledger["accepted"] == sum(ledger[each] for each in _OUTCOMES), f"I6: {dict(ledger)}"
    items = house.one("SELECT coalesce(sum(items), 0) FROM inboxes_delivery WHERE inbox_id = %s AND NOT is_waiting",
                      target.inbox)  # fmt: skip
    assert items == ledger["accepted"], f"I6: deliveries hold {items} items, the ledger {dict(ledger)}, {waiting} wait"
    stored = house.one("SELECT count(*) FROM conversations_message WHERE inbox_id = %s AND delivery_id IS NOT NULL",
                       target.inbox)  # fmt: skip
    assert stored == ledger["message"], f"I6: {stored} messages stored, the ledger says {ledger['message']}"


def check_nothing_waits(house: House) -> None:
    """I7: what can be done has been done."""
    assert house.is_settled(), "I7: deliveries wait"
    overdue = house.one("SELECT count(*) FROM conversations_outbox WHERE state <> 'uncertain' AND due_at < now()"
                        " - interval '60 seconds'")  # fmt: skip
    assert overdue == 0, f"I7: {overdue} replies wait"


def check_delivery(
    house: House, target: Target, sent: list[Entry], *, queued: int, most_uncertain: int = 0, run: str = "r"
) -> Counter[str]:
    """I3 each reply reached the platform at most once, I4 in order, I6 every reply has a state. Gives the states.

    What the desk calls sent has arrived; what arrived is called sent or uncertain, never failed or forgotten.
    """
    seen = Counter(entry.text for entry in sent)
    doubled = [text for text, count in seen.items() if count > 1]
    assert not doubled, f"I3: {len(doubled)} replies arrived twice, such as {doubled[0]}"
    highest: dict[str, int] = {}
    for entry in sent:
        number = read_number(entry.text)
        assert number is not None, f"a stranger arrived: {entry.text}"
        assert number.place > highest.get(entry.place, 0), f"I4: {entry.text} came after a later one"
        highest[entry.place] = number.place
    states: dict[str, str] = dict(
        house.rows("SELECT text, state FROM conversations_message WHERE inbox_id = %s AND kind = 'outbound'",
                   target.inbox)
    )  # fmt: skip
    assert len(states) == queued, f"I6: {len(states)} of {queued} replies are known"
    counts = Counter(states.values())
    claimed = {text for text, state in states.items() if state in ("sent", "delivered", "read")}
    assert claimed <= set(seen), f"{len(claimed - set(seen))} replies are called sent and never arrived"
    untold = {text for text in seen if states[text] not in ("sent", "delivered", "read", "uncertain")}
    assert not untold, f"{len(untold)} replies arrived and are called {Counter(states[text] for text in untold)}"
    assert counts["uncertain"] <= most_uncertain, f"{counts['uncertain']} uncertain, {most_uncertain} at most expected"
    return counts
