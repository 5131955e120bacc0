"""A web shop that tells the desk: when an order ships, a note appears in the open conversations of who ordered.

    KLANKBORD=https://desk.example KLANKBORD_TOKEN=kb_… python examples/order_shipped.py you@example.org 1234 3SABC123

The token is an integration's, with the scopes contacts:read, conversations:read and messages:write. Running it twice
for one order writes one note: the key says which parcel it is about.
"""

from __future__ import annotations

import os
import sys

from klankbord_client import Klankbord


def tell(desk: Klankbord, *, email: str, order: str, parcel: str) -> int:
    """Gives the number of conversations that now hold the note."""
    told = 0
    for contact in desk.all_contacts(email=email):
        for conversation in desk.all_conversations(contact=contact["id"]):
            if conversation["status"] in {"resolved", "spam"}:
                continue
            number = conversation["number"]
            text = f"Order {order} has shipped. Parcel: {parcel}"
            desk.write_note(number, text=text, idempotency_key=f"shipped-{order}-{parcel}-{number}")
            told += 1
    return told


if __name__ == "__main__":
    email, order, parcel = sys.argv[1:4]
    found = tell(
        Klankbord(os.environ["KLANKBORD"], token=os.environ["KLANKBORD_TOKEN"]), email=email, order=order, parcel=parcel
    )
    print(f"{found} conversation(s) told")
