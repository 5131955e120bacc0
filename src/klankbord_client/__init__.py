"""A small typed client of Klankbord's API. Needs nothing but Python's own library.

    from klankbord_client import Klankbord

    desk = Klankbord("https://desk.example", token="kb_…")
    for conversation in desk.all_conversations(status="open"):
        print(conversation["number"], conversation["contact"]["name"])
    desk.write_note(12, text="The parcel left today.", idempotency_key="parcel-991-left")

Requests that change something carry an Idempotency-Key, given or made here, so that one whose answer was lost is sent
again without being done twice. `webhooks.is_authentic` checks what Klankbord sends to you.
"""

from . import webhooks
from .client import Klankbord, ProblemError

__all__ = ["Klankbord", "ProblemError", "webhooks"]
