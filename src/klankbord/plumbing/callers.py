"""Where a request comes from: the connection's address, or what proxies that we trust say of the one before them."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def caller(connected: str, forwarded_for: str, *, trusted: str) -> Address | None:
    """connected: the address of the connection. forwarded_for: the header, from first hop to last. trusted: addresses
    and networks of our proxies, with commas; anybody else's word does not count. None: the address is no address."""
    proxies = [ipaddress.ip_network(each.strip(), strict=False) for each in trusted.split(",") if each.strip()]
    address = _parsed(connected)
    for hop in reversed(forwarded_for.split(",")):
        if address is None or not any(address in each for each in proxies):
            break
        address = _parsed(hop) or address
    return address


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
