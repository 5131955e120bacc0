"""Serves the shop until it is told to stop: `python -m klankbord_simulator.shop --desk ADDRESS --key KEY`."""

from __future__ import annotations

import argparse
import signal
from types import FrameType

from . import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="shop", description="Serve the demo shop on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--desk", required=True, help="address of the desk whose chat widget the shop carries")
    parser.add_argument("--key", required=True, help="the widget's public key")
    chosen = parser.parse_args()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    with serve(chosen.port, chosen.desk, chosen.key) as shop:
        print(shop.url, flush=True)
        while True:
            signal.pause()


def end(number: int, frame: FrameType | None) -> None:
    """Takes no lock: a dying parent may send the signal twice, and the second one comes while the first is handled."""
    raise SystemExit(0)


if __name__ == "__main__":
    main()
