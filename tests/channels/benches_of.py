"""The work bench of each channel: what the common suite needs to know about a platform, in one small module.

`tests/channels/benches/<kind>.py` is a plain module, found by its name, that offers:

    account() -> Account                a complete, connected account
    other_account() -> Account          another account of the same channel on the same desk, with other secrets
    sign(body, account) -> Delivery     the body as the platform would deliver it to that account: signature, headers
                                        and received_at filled in (for polled channels: just the body and a moment)
    outgoing(text="…") -> Outgoing      an ordinary reply to something that came in
    world(trouble="") -> World          a stand-in of the platform: `wires` to hand to the channel and the list of
                                        `calls` that reached it. With memory where the channel can look up: what was
                                        sent in a world is found in that world and in no other. See `worlds.py`,
                                        whose `http_world` makes one from a function Request -> Response.

and where it applies:

    TROUBLES                            the troubles (see `worlds.py`) that its world can act out; all when absent,
                                        () for a channel that reaches nobody
    SIGNATURE_COVERS_BODY = False       for platforms that send a fixed secret instead of a signature over the body
    act(action, world)                  performs a declared action other than a reply; only for channels that declare
                                        such actions

Fixtures need no code: `channels/<kind>/fixtures/<name>.json` (or another ending) is a body as delivered, and
`<name>.txt` beside it holds the sentences that it means (see `sentences.py`).
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

from klankbord.channels import folder_of

_BENCHES = Path(__file__).parent / "benches"


@cache
def bench_of(kind: str) -> ModuleType:
    """The bench of a channel. Raises LookupError with what is missing."""
    path = _BENCHES / f"{kind}.py"
    spec = importlib.util.spec_from_file_location(f"bench_of_{kind}", path)
    if spec is None or spec.loader is None or not path.exists():
        raise LookupError(f"write tests/channels/benches/{kind}.py; benches_of.py says what it offers")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    for name in ("account", "other_account", "sign", "outgoing", "world"):
        if not hasattr(bench, name):
            raise LookupError(f"tests/channels/benches/{kind}.py lacks {name}(); benches_of.py says what it is")
    return bench


def fixtures_of(kind: str) -> list[tuple[str, bytes]]:
    """The fixtures of a channel: file name and content, in the order of their names."""
    return [(path.name, path.read_bytes()) for path in _files_of(kind) if path.suffix != ".txt"]


def expected_of(kind: str, fixture: str) -> list[str] | None:
    """The sentences that belong to a fixture, None when the file is missing."""
    twin = next((each for each in _files_of(kind) if each.name == f"{Path(fixture).stem}.txt"), None)
    return twin.read_text(encoding="utf-8").splitlines() if twin else None


def _files_of(kind: str) -> list[Path]:
    folder = Path(str(folder_of(kind))) / "fixtures"
    return sorted(each for each in folder.iterdir() if each.is_file()) if folder.is_dir() else []
