"""Signs of life: whether a web process answers at an address, and whether a worker listens to a database."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import psycopg

_WORKERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN klankbord_work'"
)


def status_of(url: str, *, within: float = 2.0, post: Mapping[str, object] | None = None) -> int | None:
    """The HTTP status at an address, of a GET or of a POST of JSON; None when nobody answers within so many seconds.

    Follows no redirection. The standard library's client, because the usual one costs a quarter of a second to import.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=within)
    try:
        if post is None:
            connection.request("GET", parts.path or "/")
        else:
            connection.request("POST", parts.path, json.dumps(post), {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def is_our_door(base_url: str, hook_token: str) -> bool:
    """Does a web process of *this* desk answer here? It alone knows the inbox's address, and wants a POST there."""
    return status_of(f"{base_url}/hooks/{hook_token}") == HTTPStatus.METHOD_NOT_ALLOWED


def workers_listening(address: str) -> int:
    """How many workers wait for work in this database. address: of a login that may see others' sessions."""
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(_WORKERS).fetchone()
    return row[0] if row else 0


def is_port_free(port: int) -> bool:
    """Whether nobody listens on this port of 127.0.0.1, so that we can."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int, *, starting_at: int) -> int:
    """The first of so many free ports in a row, at or after a number."""
    for first in range(starting_at, 65_536 - count, count):
        if all(is_port_free(first + place) for place in range(count)):
            return first
    raise OSError(f"no {count} free ports in a row above {starting_at}")
