"""The door for other systems: `/api/v1`, with a token, documents in and out.

`door` stands before everything else of Django: no session, no cookie, no page. It finds the caller, takes from their
rate, opens the wall and hands over to `api`, whose views (`reading`, `writing`) call the same flows as the screens.
Whatever goes wrong is told as a problem (RFC 9457). The schema at `/api/v1/openapi.json` is written from the views.
"""
