"""What can be done to a status beside answering it: a favourite of ours, and taking back what we posted.

Both may be asked twice. A favourite of a status that is gone is refused; one of ours that is gone is as it should be.
"""

from __future__ import annotations

from klankbord.contract import Action, Refused, Unavailable, Uncertain, Unsupported

from .server import Server, is_missing, is_surely_gone


def act(action: Action, status: str, server: Server, *, is_undone: bool) -> None:
    path = f"/api/v1/statuses/{status}"
    try:
        if action is Action.LIKE:
            answer = server.post(f"{path}/{'unfavourite' if is_undone else 'favourite'}")
            if is_missing(answer):
                raise Refused("This post is no longer there.", code="gone", place_is_gone=True)
        elif action is Action.DELETE_OWN and not is_undone:
            answer = server.delete(path)
            if is_missing(answer) and not is_surely_gone(answer):
                raise Unavailable("The Mastodon server did not answer in its own words.", code=str(answer.status))
        else:
            raise Unsupported("Mastodon does not let us do that.")
    except Uncertain as error:  # asking twice harms nobody
        raise Unavailable("The Mastodon server did not answer in time.", code="time-out") from error
