"""Signs of life: whether a web process answers at an address, and whether a worker listens to a database."""

from __future__ import annotations

import socket

import httpx
import psycopg

_QUICK = 2.0  # seconds


def is_our_door(base_url: str, hook_token: str) -> bool:
    """Does a web process of *this* desk answer here? It alone knows the inbox's address, and wants a POST there."""
    try:
        answer = httpx.get(f"{base_url}/hooks/{hook_token}", timeout=_QUICK, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.METHOD_NOT_ALLOWED


def workers_listening(address: str) -> int:
    """How many workers wait for work in this database. address: of a login that may see others' sessions."""
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN klankbord_work'"
        ).fetchone()
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
