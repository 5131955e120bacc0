"""The doctor's look at the machine and its settings: no database is needed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from klankbord.plumbing.secrets import KEY_FILE, VARIABLE, SecretError, load_vault

from .findings import Finding, judged

_OLDEST_PYTHON = (3, 11)
_LEAST_FREE = 1_000_000_000  # bytes
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Environment(Protocol):
    """What the doctor asks of the settings of this machine."""

    public_url: str
    allowed_hosts: str
    debug: bool
    allow_loopback: bool


def look_at_machine(folder: Path) -> Iterator[Finding]:
    """folder: the data folder."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield judged(
        "Python",
        sys.version_info >= _OLDEST_PYTHON,
        f"version {version}",
        why="Klankbord uses what came with Python 3.11.",
        advice="Install Python 3.11 or later and set Klankbord up anew with it.",
    )
    yield _folder(folder)
    if folder.exists():
        free = shutil.disk_usage(folder).free
        yield judged(
            "Disk space",
            free >= _LEAST_FREE,
            f"{free / 1e9:.1f} GB free in {folder}",
            why="A full disk stops the database: nothing more is taken in.",
            advice="Free some space, or give the data folder a larger disk.",
        )
    yield _secret_key(folder)


def _folder(folder: Path) -> Finding:
    name = "Data folder"
    if not folder.exists():
        return Finding(name, f"{folder} is not there yet; the first start makes it")
    trouble = ""
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        trouble = "cannot be written by this account"
    elif folder.stat().st_uid != os.geteuid():
        trouble = "belongs to another account"
    elif folder.stat().st_mode & 0o044:
        trouble = "can be listed by other accounts of this machine"
    return judged(
        name,
        not trouble,
        f"{folder} {trouble or 'is ours alone'}",
        why="It holds the secret key, customers' files and, with the embedded database, every message.",
        advice=f"Run this as the account that runs Klankbord, and let nobody else in: chmod 711 {folder}",
    )


def _secret_key(folder: Path) -> Finding:
    name = "Secret key"
    is_given = VARIABLE in os.environ or f"{VARIABLE}_FILE" in os.environ
    if not is_given and not (folder / KEY_FILE).exists():
        return Finding(name, "not there yet; the first start makes one")
    try:
        load_vault(folder)
    except (SecretError, OSError) as error:
        return Finding(
            name,
            str(error),
            "Without it no inbox can be opened: nothing is received and nothing is sent.",
            f"Put the key back: {folder / KEY_FILE}, or {VARIABLE}.",
        )
    return Finding(name, "given by the environment" if is_given else f"kept in {folder / KEY_FILE}")


def look_at_settings(environment: Environment) -> Iterator[Finding]:
    parts = urlsplit(environment.public_url)
    is_local = parts.hostname in _LOCAL
    yield judged(
        "Public address",
        bool(parts.hostname) and parts.scheme in ("http", "https") and (is_local or parts.scheme == "https"),
        environment.public_url or "empty",
        why="Browsers send the sign-in cookie over https only, and platforms deliver to https only.",
        advice="Set KLANKBORD_PUBLIC_URL to the https address under which people reach the desk.",
    )
    yield judged(
        "Allowed hosts",
        "*" not in environment.allowed_hosts.split(","),
        environment.allowed_hosts or "only the public address",
        why="With * any name is taken for ours, and links in mails can be made to lead elsewhere.",
        advice="Name the hosts in KLANKBORD_ALLOWED_HOSTS; the public address's host is always allowed.",
    )
    yield judged(
        "Debugging",
        not environment.debug or is_local,
        "on" if environment.debug else "off",
        why="Error pages show code, settings and what customers wrote to whoever causes an error.",
        advice="Take KLANKBORD_DEBUG away on a desk that others can reach.",
    )
    yield judged(
        "Loopback",
        not environment.allow_loopback or is_local,
        "channels may live on this machine" if environment.allow_loopback else "closed to channels",
        why="A link in a message could make the desk fetch from services inside this machine.",
        advice="Take KLANKBORD_ALLOW_LOOPBACK away; it is for development and the demo.",
    )
