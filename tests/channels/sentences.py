"""What a delivery means, in sentences: one line per item, so that a fixture can be read beside what it says.

Beside `fixtures/<name>.json` (or .eml, or any other ending) stands `fixtures/<name>.txt` with these lines. To see
them while writing a fixture:  PYTHONPATH=src python tests/channels/sentences.py KIND [NAME]
"""

from __future__ import annotations

from datetime import datetime

from klankbord.contract import (
    Arrived,
    Deleted,
    Edited,
    Ignored,
    Item,
    Malformed,
    Media,
    Person,
    PlaceMoved,
    ReceiptArrived,
    Unknown,
    Unreachable,
)


def sentence(item: Item) -> str:
    """One item as one line."""
    match item:
        case Arrived():
            return _message(item)
        case Edited():
            return f"edit of {item.external_id} at {_moment(item.at)}: {_text(item.text)}"
        case Deleted():
            return f"deletion of {item.external_id} at {_moment(item.at)}"
        case ReceiptArrived():
            what = item.external_id or f"all in {item.place_key} up to {_moment(item.up_to)}"
            return f"{item.state} receipt for {what} at {_moment(item.at)}" + (
                f": {item.reason}" if item.reason else ""
            )
        case Unreachable():
            can = "can be reached again" if item.is_reachable else "can no longer be reached"
            return f"{_who(item.person)} {can} at {_moment(item.at)}: {item.reason}"
        case PlaceMoved():
            return f"place {item.old_key} is now {item.new_key}, target {item.target}, at {_moment(item.at)}"
        case Unknown():
            where = f" in {item.place.visibility} {item.place.key}" if item.place else ""
            return f"unknown {item.kind}{where} at {_moment(item.at)}"
        case Ignored():
            return f"ignored: {item.reason}"
        case Malformed():
            return f"malformed: {item.reason}"


def sentences(items: list[Item]) -> list[str]:
    """One line per item, in order."""
    return [sentence(each) for each in items]


def _message(item: Arrived) -> str:
    kind = "context" if item.is_context else f"own message by {item.author_kind}" if item.is_own else "message"
    line = f"{kind} {item.external_id} from {_who(item.person)} in {item.place.visibility} {item.place.key}"
    line += f" at {_moment(item.at)}: {_text(item.text)}"
    notes = [
        *([f"subject {_text(item.place.title)}"] if item.place.title else []),
        *([f"answers {item.in_reply_to}"] if item.in_reply_to else []),
        *([f"after {', '.join(item.thread_ids)}"] if item.thread_ids else []),
        *([f"under {_text(item.place.context.text)}"] if item.place.context else []),
        *([f"quotes {_text(item.quoted)}"] if item.quoted else []),
        *([f"in {item.language}"] if item.language else []),
        *(["automatic"] if item.is_automatic else []),
        *(["spam"] if item.is_spam else []),
        *(_file(each) for each in item.media),
        *item.remarks,
    ]
    return line + "".join(f" [{each}]" for each in notes)


def _file(media: Media) -> str:
    name = f" {media.name}" if media.name else ""
    return f"{media.kind}{name}" + (f" refused: {media.refused}" if media.refused else "")


def _who(person: Person) -> str:
    name = person.name or person.username or person.email
    return f"{name} <{person.external_id}>" if name else f"<{person.external_id}>"


def _moment(at: datetime | None) -> str:
    return at.isoformat().replace("+00:00", "Z") if at else "?"


def _text(text: str) -> str:
    return "“" + text.replace("\n", "⏎") + "”"


if __name__ == "__main__":
    import sys

    from benches_of import bench_of, fixtures_of

    from klankbord.channels import channel

    for name, body in fixtures_of(sys.argv[1]):
        if not sys.argv[2:] or name == sys.argv[2]:
            account = bench_of(sys.argv[1]).account()
            print(f"--- {name}")
            print(*sentences(channel(sys.argv[1]).parse(bench_of(sys.argv[1]).sign(body, account), account)), sep="\n")
