"""Secrets at rest: sealed with a key that is not in the database, and keys for other purposes drawn from the same root.

Sealed bytes: version (1), key id (4), nonce (12), AES-256-GCM ciphertext with its tag. The key id finds the right root
key after a rotation; each root key is only ever used through HKDF (RFC 5869), with the purpose as info.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .folders import make_durable, make_folder

VARIABLE = "KLANKBORD_SECRET_KEY"
KEY_FILE = "secret.key"  # in the data folder; keep a copy elsewhere, a backup of the database is of no use without it

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_SHORTEST_KEY = 32  # characters


class SecretError(Exception):
    """Something is wrong with the keys; the message says what to do and shows no secret."""


class UnreadableSecretError(SecretError):
    """A sealed secret cannot be opened: its key is gone, or it was changed or moved."""


class Vault:
    """Seals and opens secrets.

    keys: root keys, the current one first; the others only open what was sealed before.   Raises: SecretError.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SecretError("There is no secret key")
        if any(len(key) < _SHORTEST_KEY for key in keys):
            raise SecretError(f"A secret key has at least {_SHORTEST_KEY} characters; `new_key()` makes a good one")
        self._roots = [key.encode() for key in keys]
        self._by_id = {_derive(root, "key id", _KEY_ID_BYTES): root for root in reversed(self._roots)}

    def seal(self, text: str, *, bound_to: str = "") -> bytes:
        """The text, unreadable without the key.

        bound_to: whose secret this is, for example an inbox's id; opening asks for the same, so that a row copied over
        another in the database does not hand out its secret there.
        """
        root = self._roots[0]
        nonce = os.urandom(_NONCE_BYTES)
        head = _VERSION + _derive(root, "key id", _KEY_ID_BYTES)
        return head + nonce + _cipher(root).encrypt(nonce, text.encode(), head + bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str = "") -> str:
        """The text.   Raises: UnreadableSecretError."""
        sealed = bytes(sealed)
        head, body = sealed[: 1 + _KEY_ID_BYTES], sealed[1 + _KEY_ID_BYTES :]
        if not head.startswith(_VERSION) or len(body) <= _NONCE_BYTES:
            raise UnreadableSecretError("This is not a sealed secret")
        root = self._by_id.get(head[1:])
        if root is None:
            raise UnreadableSecretError(
                f"This secret was sealed with key {head[1:].hex()}, which is not among the configured ones: "
                f"add it behind the current key in {VARIABLE}, or enter the secret again"
            )
        try:
            text = _cipher(root).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], head + bound_to.encode())
        except InvalidTag:
            raise UnreadableSecretError("This sealed secret was changed or belongs elsewhere: enter it again") from None
        return text.decode()

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the current key; otherwise open it and seal it again."""
        return bytes(sealed[1 : 1 + _KEY_ID_BYTES]) == _derive(self._roots[0], "key id", _KEY_ID_BYTES)

    def key_for(self, purpose: str) -> bytes:
        """32 bytes for one purpose ("django", "reply-tags"), always the same; no purpose reveals another's key."""
        return self.keys_for(purpose)[0]

    def keys_for(self, purpose: str) -> list[bytes]:
        """The same under each root key, the current one first, to check what was signed before a rotation."""
        return [_derive(root, f"purpose {purpose}") for root in self._roots]


def load_vault(data_dir: Path, environ: Mapping[str, str] = os.environ) -> Vault:
    """The vault of this installation.

    Its keys stand in KLANKBORD_SECRET_KEY, or in the file named by KLANKBORD_SECRET_KEY_FILE, separated by commas or
    white space, the current one first. With neither, a key is made once and kept in the data folder.
    """
    text, file = environ.get(VARIABLE, ""), environ.get(f"{VARIABLE}_FILE", "")
    if text and file:
        raise SecretError(f"Set either {VARIABLE} or {VARIABLE}_FILE, not both")
    if file:
        try:
            text = Path(file).read_text()
        except OSError as error:
            raise SecretError(f"{VARIABLE}_FILE cannot be read: {error.strerror}: {file}") from None
    if not text.strip():
        if VARIABLE in environ or file:
            raise SecretError(f"{VARIABLE} is empty")
        text = _kept_key(data_dir / KEY_FILE)
    return Vault(text.replace(",", " ").split())


def new_key() -> str:
    """A fresh root key: 256 random bits as text."""
    return secrets.token_urlsafe(32)


def _kept_key(path: Path) -> str:
    if not path.exists():
        make_folder(path.parent)
        # Complete before it has its name, and the first one wins: of two processes that start at once, neither may seal
        # with a key that is overwritten a moment later.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
            make_durable(path.parent)
    if path.stat().st_mode & 0o077:
        raise SecretError(f"{path} can be read by others: chmod 600 it, and consider its secrets known")
    return path.read_text()


def _derive(root: bytes, info: str, length: int = 32) -> bytes:
    return _expand(root, info.encode(), length)


@lru_cache(maxsize=256)
def _expand(root: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=b"klankbord", info=info).derive(root)


def _cipher(root: bytes) -> AESGCM:
    return AESGCM(_derive(root, "seal"))
