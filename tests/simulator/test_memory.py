"""What happened on the simulated platforms is still there when they are started again."""

from __future__ import annotations

from pathlib import Path

import httpx

from klankbord_simulator.platforms import Memory, Platforms
from klankbord_simulator.stage import Actor

ANOUK = Actor(name="Anouk", username="anouk", email="anouk@klant.example")


def test_posts_chats_and_mails_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "platforms.memory"
    with Platforms(seed=1) as first:
        said = {kind: stage.say(ANOUK, f"Hallo {kind}", public=kind == "mastodon")
                for kind, stage in first.stages.items()}  # fmt: skip
        Memory(file, first.fakes).keep()
        posts, mails = dict(first.mastodon.server.posts), len(first.mail.shop_box.inbox.mails)
    again = Platforms(seed=1)
    Memory(file, again.fakes).recall()
    with again as second:
        assert second.mastodon.server.posts.keys() == posts.keys()
        assert len(second.mail.shop_box.inbox.mails) == mails
        shown = httpx.get(
            f"{second.mastodon.url}/api/v1/notifications",
            headers={"Authorization": f"Bearer {second.mastodon.token}"},
            trust_env=False,
        ).json()
        assert "Hallo mastodon" in shown[0]["status"]["content"]
        answered = second.telegram.say(ANOUK, "Nog iets", public=False, in_reply_to=said["telegram"])
        assert answered != said["telegram"]


def test_a_broken_memory_is_as_good_as_none(tmp_path: Path) -> None:
    file = tmp_path / "platforms.memory"
    file.write_bytes(b"\x80half a file")
    platforms = Platforms(seed=1)
    Memory(file, platforms.fakes).recall()
    with platforms as started:
        assert started.mastodon.say(ANOUK, "Hallo", public=True)
