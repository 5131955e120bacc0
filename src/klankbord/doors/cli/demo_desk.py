"""The demo's own child: brings the database up to date, founds the organisation, says so in one line of JSON
({"widget_key", "hook_token", "account"}), and then tells its past. Troubles go to standard error.

Reads from standard input: {"addresses", "shop_url", "password", "migrates"}. Knows no simulator, only addresses.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime

from .machine import desk

_PATIENCE = 60.0  # seconds for a worker to take in the past


def main() -> int:
    wanted = json.load(sys.stdin)
    with desk(role="owner"):
        if wanted["migrates"]:
            from . import migrate

            migrate.run(argparse.Namespace(quiet=True))
        from klankbord.flows import demo_seed

        now = datetime.now(UTC)
        demo = demo_seed.set_up(
            addresses=wanted["addresses"], shop_url=wanted["shop_url"], password=wanted["password"], now=now
        )
        for trouble in demo.troubles:
            print(f"not connected: {trouble}", file=sys.stderr)
        words = {"widget_key": demo.widget_key, "hook_token": demo.hook_token, "account": demo_seed.ACCOUNT}
        print(json.dumps(words), flush=True)
        if not demo_seed.is_past_told(demo, now=now):
            demo_seed.tell_past(demo, now=now)
        deadline = time.monotonic() + _PATIENCE
        while not demo_seed.is_past_told(demo, now=now) and time.monotonic() < deadline:
            time.sleep(0.3)
        demo_seed.close_past(demo, now=now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
