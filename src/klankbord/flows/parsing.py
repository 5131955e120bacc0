"""Translate deliveries by their channels; hostile input (mail) in a limited child process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import TypeAlias
from uuid import UUID

from klankbord.channels import sandboxed
from klankbord.contract import Delivery, Item, Malformed
from klankbord.plumbing.sandbox import Sandbox, SandboxFailure

from .accounts import Connected

Parsed: TypeAlias = list[Item] | SandboxFailure


def parse_all(deliveries: Sequence[tuple[Delivery, Connected]]) -> list[Parsed]:
    """The items of each delivery, in order; a failure where the limited parser gave up on one."""
    found: list[Parsed] = [[] for _ in deliveries]
    apart: list[int] = []
    for place, (delivery, connected) in enumerate(deliveries):
        if connected.channel.capabilities.has_hostile_input:
            apart.append(place)
        else:
            found[place] = _parse_here(delivery, connected)
    if apart:
        answers = _sandbox().call_each(_requests([deliveries[place] for place in apart]))
        for place, answer in zip(apart, answers, strict=True):
            found[place] = answer if isinstance(answer, SandboxFailure) else _unpack(answer)
    return found


def _parse_here(delivery: Delivery, connected: Connected) -> list[Item]:
    try:
        return connected.channel.parse(delivery, connected.account)
    except Exception as error:
        # Whatever a channel trips over belongs in the dead letters, by its name; its neighbours go on.
        return [Malformed(f"{type(error).__name__}: {error}"[:300])]


def _requests(deliveries: Sequence[tuple[Delivery, Connected]]) -> list[bytes]:
    accounts: dict[UUID, bytes] = {}
    requests = []
    for delivery, connected in deliveries:
        inbox = connected.inbox
        if inbox.id not in accounts:
            accounts[inbox.id] = sandboxed.pack_account(inbox.kind, connected.account)
        requests.append(sandboxed.pack(accounts[inbox.id], delivery))
    return requests


def _unpack(answer: bytes) -> list[Item]:
    try:
        return sandboxed.unpack(answer)
    except ValueError as error:
        return [Malformed(f"ValueError: {error}"[:300])]


@cache
def _sandbox() -> Sandbox:
    """A second child helps with large batches where there is a second processor, and goes when it has no more work."""
    children = min(2, os.cpu_count() or 1)
    return Sandbox(sandboxed.TARGET, cpu_seconds=2, memory_bytes=700_000_000, wall_seconds=5.0, children=children)
