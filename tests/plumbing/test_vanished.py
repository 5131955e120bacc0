"""R5: a client that vanishes is noticed within half a minute, because connections inherit the server's patience."""

from __future__ import annotations

import asyncio
import socket

import pytest

from klankbord.plumbing.vanished import PATIENCE_MS, ask_listening_sockets, give_up_on_vanished_clients

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has such a patience")


def patience_of(connection: socket.socket) -> int:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_r5_what_a_server_accepts_is_given_up_after_fifteen_seconds_of_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert ask_listening_sockets() >= 1
        with socket.create_connection(server.getsockname()) as client, server.accept()[0] as accepted:
            assert patience_of(accepted) == PATIENCE_MS
            assert patience_of(client) == 0  # only what listens is asked
    assert PATIENCE_MS / 1000 + 15 <= 30  # a heartbeat goes every fifteen seconds


def test_a_server_that_opens_later_is_asked_as_well() -> None:
    async def test() -> int:
        asking = asyncio.create_task(give_up_on_vanished_clients())
        with socket.create_server(("127.0.0.1", 0)) as server:
            await asking
            return patience_of(server)

    assert asyncio.run(asyncio.wait_for(test(), 30)) == PATIENCE_MS
