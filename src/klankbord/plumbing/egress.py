"""The guard on the way out: a connection goes to a public address, to the very address that was checked, in time.

A name is resolved once and every address it gives is checked; the socket is opened to one of those numbers, so that
a name which resolves differently a moment later gains nothing. Whoever asks for a connection keeps the name for TLS.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

import certifi

Address: TypeAlias = IPv4Address | IPv6Address
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

# Own lists instead of `is_global`, whose answer has changed between versions of Python.
_CLOSED_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")

_LONGEST_CONNECT = 5.0  # seconds for one address while others are left


class EgressError(Exception):
    """No connection was made, so nothing was sent. code: "address-refused" or "no-connection"."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.sentence, self.code = sentence, code


class AddressRefusedError(EgressError):
    """The address is not one that we connect to."""

    def __init__(self, sentence: str = "This address is not on the public internet.") -> None:
        super().__init__(sentence, "address-refused")


class NoConnectionError(EgressError):
    """The name does not exist, nobody answers, or the certificate is not right."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "no-connection")


class Deadline:
    """A moment by which something must be over, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is up")
        return left


def is_public(address: Address) -> bool:
    """Is this an address on the public internet? Addresses that carry another one inside count as that one."""
    if isinstance(address, IPv4Address):
        return not any(address in closed for closed in _CLOSED_V4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    # 6to4 and Teredo, which can carry a private address, are in the closed part; so is all that is not handed out.
    return address in _OPEN_V6 and not any(address in closed for closed in _CLOSED_V6)


def plain_host(host: str) -> str:
    """The host without trailing dot. Raises AddressRefusedError for a spelling that hides an address.

    Decimal, octal, hexadecimal and shortened forms ("2130706433", "0x7f.1") are read by some resolvers as numbers:
    a host that ends in a number must be an address in its plain form.
    """
    host = host.strip("[]").removesuffix(".").lower()
    if not host or not host.isascii() or "%" in host or any(each.isspace() for each in host):
        raise AddressRefusedError("This is not the name of a server.")
    last = host.rpartition(".")[2]
    if ":" in host or last.isdecimal() or last.startswith("0x"):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise AddressRefusedError("This is not the name of a server.") from None
    return host


def certificates() -> ssl.SSLContext:
    """TLS with certificate and name checks, 1.2 or newer."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system resolves it."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Egress:
    """Opens guarded sockets.

    allow_loopback: this machine's own addresses may be reached too, on any port; for development and tests only.
    ports: what may be reached elsewhere; None is any.
    """

    def __init__(
        self, *, ports: Collection[int] | None, allow_loopback: bool = False, resolver: Resolver = resolve
    ) -> None:
        self._ports, self._allow_loopback, self._resolver = ports, allow_loopback, resolver

    def connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """A connected socket to a checked address. Raises EgressError."""
        addresses = self.addresses(plain_host(host), port, deadline)
        for number, address in enumerate(addresses, start=1):
            try:
                patience = deadline.left() if number == len(addresses) else min(_LONGEST_CONNECT, deadline.left())
                found = socket.create_connection((str(address), port), timeout=patience)
            except OSError:
                continue
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return found
        raise NoConnectionError("The server does not answer.")

    def addresses(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """The addresses of a host, each of them checked: one bad address spoils the name."""
        try:
            addresses: list[Address] = [ipaddress.ip_address(host)]
        except ValueError:
            addresses = [ipaddress.ip_address(each) for each in self._look_up(host, port, deadline)]
        for address in addresses:
            if self._allow_loopback and address.is_loopback:
                continue
            if not is_public(address):
                raise AddressRefusedError
            if self._ports is not None and port not in self._ports:
                raise AddressRefusedError(f"Port {port} is not one that we connect to.")
        return list(dict.fromkeys(addresses))

    def _look_up(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        # The system's resolver knows no time limit, so a thread waits for it in our place; it ends by itself.
        answer: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answer.put(self._resolver(host, port))
            except (OSError, UnicodeError) as error:
                answer.put(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            found = answer.get(timeout=deadline.left())
        except (queue.Empty, TimeoutError):
            raise NoConnectionError("The server's name could not be looked up in time.") from None
        if isinstance(found, Exception) or not found:
            raise NoConnectionError("The server's name is not known.") from None
        return found
