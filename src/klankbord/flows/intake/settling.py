"""Settle a batch of one organisation: every entry gets exactly one outcome, everything in sets.

Read from the top: `settle` is the story, in the order in which it happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from klankbord.contract import Arrived, Ignored, Malformed, Unknown
from klankbord.desk.contacts.arrivals import find_or_make_handles, handle_key
from klankbord.desk.conversations import arrivals, rearranging
from klankbord.desk.conversations.arrivals import KnownMessage, KnownThread
from klankbord.desk.conversations.case import Case, hear, is_closed_to_reopening, speak, spoke_before
from klankbord.desk.conversations.cases import lock_cases, open_cases, record, store_cases, tell
from klankbord.desk.conversations.index import add_search_documents
from klankbord.desk.conversations.models import Status
from klankbord.desk.inboxes.models import Outcome
from klankbord.kernel.ids import random_token, uuid7
from klankbord.kernel.tags import read_tag
from klankbord.kernel.text import one_line

from ..notices import customers_answered
from . import rows
from .batch import Batch
from .changes import apply_changes
from .echoes import adopt_echoes
from .reading import Entry, as_arrival


def settle(entries: list[Entry], *, siblings: dict[UUID, list[UUID]], now: datetime) -> Batch:
    """Runs inside `with organisation(id):`. Sets every entry's outcome. Raises Raced when the batch must run again."""
    batch = Batch(now=now, siblings=siblings)
    _settle_what_needs_nothing(entries)
    batch.known = arrivals.known_messages(_external_keys(entries, siblings))
    batch.adopted = adopt_echoes(entries, batch.known)
    arriving = _drop_duplicates(_arriving(entries), batch)
    _place(arriving, batch)
    _store(batch)
    apply_changes(entries, batch)
    customers_answered(batch.answered, now=batch.now)
    record(batch.events)
    tell(batch.changes, now=now)
    return batch


# ------------------------------------------------------------------------------------------ what is known already


def _settle_what_needs_nothing(entries: Iterable[Entry]) -> None:
    for entry in entries:
        match entry.item:
            case Ignored(reason=reason):
                entry.outcome, entry.reason = Outcome.IGNORED, reason
            case Malformed(reason=reason):
                entry.outcome, entry.reason = Outcome.DEAD, reason
            case Unknown() as unknown if as_arrival(unknown) is None:
                entry.outcome, entry.reason = Outcome.IGNORED, f"unknown kind {one_line(unknown.kind, limit=40)}"


def _external_keys(entries: Iterable[Entry], siblings: dict[UUID, list[UUID]]) -> set[arrivals.ExternalKey]:
    keys: set[arrivals.ExternalKey] = set()
    for entry in entries:
        ids = [getattr(entry.item, "external_id", ""), getattr(entry.item, "in_reply_to", "")]
        ids += getattr(entry.item, "thread_ids", ())
        if isinstance(entry.item, Arrived):
            ids.append(rows.id_of_another(entry.item))
        keys.update((inbox, each) for inbox in siblings.get(entry.inbox_id, [entry.inbox_id]) for each in ids if each)
    return keys


def _arriving(entries: Iterable[Entry]) -> list[tuple[Entry, Arrived]]:
    found: list[tuple[Entry, Arrived]] = []
    for entry in entries:
        item = as_arrival(entry.item) if isinstance(entry.item, Unknown) else entry.item
        if not entry.outcome and isinstance(item, Arrived):
            found.append((entry, item))
    return found


def _drop_duplicates(arriving: list[tuple[Entry, Arrived]], batch: Batch) -> list[tuple[Entry, Arrived]]:
    """The UNIQUE in the database decides in the end; here the many that are plainly known leave the batch."""
    fresh: list[tuple[Entry, Arrived]] = []
    taken: dict[arrivals.ExternalKey, str] = {}  # key → digest of the words under that id
    for entry, item in arriving:
        first_inbox = batch.siblings.get(entry.inbox_id, [entry.inbox_id])[0]
        digest = rows.digest_of(item)
        known = batch.find(entry.inbox_id, item.external_id)
        former = known.digest if known else taken.get((first_inbox, item.external_id))
        if item.external_id and former is not None:
            if digest and former and digest != former:
                item = replace(item, external_id=rows.id_of_another(item))
                known = batch.find(entry.inbox_id, item.external_id)
                is_known = known is not None or (first_inbox, item.external_id) in taken
            else:
                is_known = True
            if is_known:
                entry.outcome = Outcome.DUPLICATE
                if known is not None and known.inbox_id != entry.inbox_id:
                    rows.note_also_to(known.id, entry.connected.inbox.address or entry.connected.inbox.name)
                continue
        taken[first_inbox, item.external_id] = digest
        fresh.append((entry, item))
    return fresh


# ------------------------------------------------------------------------------------------ people and places


def _place(arriving: list[tuple[Entry, Arrived]], batch: Batch) -> None:
    """Give every new message its thread and case, opening what is missing, and move the cases."""
    if not arriving:
        return
    batch.handles = find_or_make_handles(
        {handle_key(entry.connected.inbox.kind, item.person): item.person for entry, item in arriving}, now=batch.now
    )
    tokens = {id(item): read_tag(item.reply_tag, key=entry.connected.account.reply_key) for entry, item in arriving}
    by_id, by_token, by_place = arrivals.known_threads(
        ids=[found.thread_id for entry, item in arriving for found in _referred(entry, item, batch)],
        tokens=tokens.values(),
        places=[(entry.inbox_id, item.place.key) for entry, item in arriving],
    )
    batch.cases = lock_cases(thread.conversation_id for thread in by_id.values())
    if any(case.rearranged_at for case in batch.cases.values()):
        rearranging.check_places(by_id.values())
    in_batch: dict[arrivals.ExternalKey, KnownThread] = {}
    for entry, item in arriving:
        tagged = by_token.get(tokens[id(item)])
        thread = (
            _thread_of_reference(entry, item, batch, by_id, in_batch)
            or (tagged if tagged and _is_same_place(tagged, entry, item, batch) else None)
            or by_place.get((entry.inbox_id, item.place.key))
        )
        if thread is None and tagged is None and item.is_context:
            entry.outcome, entry.reason = Outcome.IGNORED, "own post"
            continue
        at_place = by_place.get((entry.inbox_id, item.place.key))
        thread = (
            _usable(thread, entry, item, batch)
            or (_usable(at_place, entry, item, batch) if at_place is not thread else None)
            or _open_thread(entry, item, batch, thread, tagged)
        )
        by_place[entry.inbox_id, item.place.key] = thread
        if item.external_id:
            in_batch[entry.inbox_id, item.external_id] = thread
        _take(entry, item, thread, batch)


def _referred(entry: Entry, item: Arrived, batch: Batch) -> Iterable[KnownMessage]:
    for external_id in item.thread_ids:
        found = batch.find(entry.inbox_id, external_id)
        if found is not None:
            yield found


def _thread_of_reference(
    entry: Entry,
    item: Arrived,
    batch: Batch,
    by_id: dict[UUID, KnownThread],
    in_batch: dict[arrivals.ExternalKey, KnownThread],
) -> KnownThread | None:
    """The thread of the first message it refers to that we know. A private answer to a public message is another
    place, so the visibility must agree."""
    for external_id in item.thread_ids:
        known = batch.find(entry.inbox_id, external_id)
        thread = by_id.get(known.thread_id) if known else in_batch.get((entry.inbox_id, external_id))
        if thread is not None and thread.visibility == item.place.visibility:
            return thread
    return None


def _is_same_place(tagged: KnownThread, entry: Entry, item: Arrived, batch: Batch) -> bool:
    """Whether a reply tag was used where it was given; elsewhere (our link led to another channel) it only names the
    case."""
    inboxes = batch.siblings.get(entry.inbox_id, [entry.inbox_id])
    return tagged.inbox_id in inboxes and tagged.visibility == item.place.visibility


def _usable(thread: KnownThread | None, entry: Entry, item: Arrived, batch: Batch) -> KnownThread | None:
    """The thread, unless its case was resolved too long ago to reopen."""
    if thread is None:
        return None
    case = batch.cases[thread.conversation_id]
    days = entry.connected.inbox.reopen_days
    if is_closed_to_reopening(case, reopen_days=days, at=item.at) and not item.is_automatic:
        batch.retired.append(thread.id)
        return None
    return thread


def _open_thread(
    entry: Entry, item: Arrived, batch: Batch, former: KnownThread | None, tagged: KnownThread | None
) -> KnownThread:
    """A new thread: in the case of what it refers to (a private answer in a public case), else in a new case."""
    inbox = entry.connected.inbox
    handle = batch.handles[handle_key(inbox.kind, item.person)]
    case = _case_of_reference(entry, item, batch, tagged) if former is None else None
    if case is None:
        is_quiet = entry.is_history or (item.place.post or item.place.key) in inbox.muted
        case = Case(
            id=uuid7(),
            contact_id=handle.contact_id,
            inbox_id=inbox.id,
            visibility=str(item.place.visibility),
            last_message_at=item.at,
            title=one_line(item.place.title, limit=300),
            language=item.language[:8],
            # Imported history waits for nobody, and neither does what stands under a muted post.
            status=Status.SPAM if item.is_spam or handle.is_blocked else Status.PENDING if is_quiet else Status.OPEN,
        )
        batch.cases[case.id] = case
        batch.opened.append(case)
        if former is not None:
            batch.previous[case.id] = former.conversation_id
        batch.events.append(rows.event("conversation opened", case.id, entry, item))
    thread = KnownThread(
        id=uuid7(),
        conversation_id=case.id,
        inbox_id=inbox.id,
        handle_id=handle.id,
        place_key=item.place.key,
        visibility=str(item.place.visibility),
        token=random_token(80),  # short enough for a plus address, together with its signature
        is_live=True,
    )
    batch.threads.append(rows.thread(thread, item, now=batch.now))
    return thread


def _case_of_reference(entry: Entry, item: Arrived, batch: Batch, tagged: KnownThread | None) -> Case | None:
    named = [tagged.conversation_id] if tagged is not None else []
    for conversation_id in [*named, *(known.conversation_id for known in _referred(entry, item, batch))]:
        case = batch.cases.get(conversation_id)
        if case is not None and case.status != Status.RESOLVED:
            return case
    return None


# ------------------------------------------------------------------------------------------ messages and cases


def _take(entry: Entry, item: Arrived, thread: KnownThread, batch: Batch) -> None:
    """One message into its thread: its row, its files, its words, and what it does to the case."""
    case = batch.cases[thread.conversation_id]
    handle = batch.handles[handle_key(entry.connected.inbox.kind, item.person)]
    is_stranger = handle.contact_id != case.contact_id and not item.is_own
    message = rows.message(entry, item, thread, handle, is_stranger=is_stranger, now=batch.now)
    batch.messages.append(message)
    batch.attachments.extend(rows.attachments(message, item, now=batch.now))
    batch.documents.append(rows.document(message, item))
    batch.changes.append(rows.change(message, "message"))
    entry.outcome = Outcome.MESSAGE
    preview = rows.preview(item)
    if item.is_context:
        return
    if item.is_own:
        if entry.is_history or (case.last_inbound_at is not None and case.last_inbound_at > item.at):
            spoke_before(case, at=item.at, text=preview, visibility=thread.visibility)
        else:
            speak(
                case,
                at=item.at,
                text=preview,
                visibility=thread.visibility,
                by="system" if item.is_automatic else message["author_kind"],
            )
        batch.events.append(rows.event("replied elsewhere", case.id, entry, item, message["id"]))
        return
    is_quiet = entry.is_history or _is_muted(entry, item, thread)
    did = hear(
        case,
        at=item.at,
        text=preview,
        visibility=thread.visibility,
        # A blocked person in somebody else's case wakes nobody either.
        is_automatic=item.is_automatic or (handle.is_blocked and is_stranger),
        is_history=is_quiet,
        is_blocked=handle.is_blocked and not is_stranger,
    )
    if case.owner_id and case.waiting_since and not (item.is_automatic or is_quiet):
        batch.answered.append((case.owner_id, case.id, message["id"]))
    if not item.is_automatic:
        newest = batch.heard.get(thread.id)
        if newest is None or newest[0] <= item.at:
            batch.heard[thread.id] = (item.at, item.external_id)
    batch.events.append(rows.event("message received", case.id, entry, item, message["id"]))
    if did:
        batch.events.append(rows.event(f"conversation {did}", case.id, entry, item, message["id"]))


def _is_muted(entry: Entry, item: Arrived, thread: KnownThread) -> bool:
    """Whether it stands under a post that somebody muted: kept, and nobody is woken for it."""
    muted = entry.connected.inbox.muted
    return bool(muted) and (item.place.post or thread.place_key) in muted


def _store(batch: Batch) -> None:
    opened = {case.id for case in batch.opened}
    arrivals.retire_threads(batch.retired)
    open_cases(batch.opened, previous=batch.previous, now=batch.now)
    arrivals.open_threads(batch.threads)
    arrivals.store_messages(batch.messages)
    arrivals.store_attachments(batch.attachments)
    add_search_documents(batch.documents)
    arrivals.touch_threads(batch.heard)
    touched = {message["conversation_id"] for message in batch.messages} - opened
    store_cases([batch.cases[key] for key in sorted(touched)], also_count=batch.opened)
