"""Put everything that Klankbord needs into .venv: packages by hash, and this checkout under its name.

    python3 scripts/setup.py base    what runs the desk
    python3 scripts/setup.py dev     that, and what tests and checks need

Needs Python with venv (Debian: python3-venv), and nothing else. A second run with the same locks changes nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
PLACE = ROOT / ".venv"
PYTHON, UV = PLACE / "bin" / "python", PLACE / "bin" / "uv"

STARTER = """\
#!{python}
import sys

from klankbord.doors.cli.main import main

sys.exit(main())
"""


def main(kind: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  the only line that an older Python may reach
        sys.exit(f"Klankbord needs Python 3.11 or later; this is {sys.version.split()[0]}.")
    if not PYTHON.exists():
        make_environment()
    if not UV.exists():
        # pip, not a script from the web: pip knows this machine's index settings, and the hash decides.
        attempt(with_pip("uv"))
    for name in ("base", "dev") if kind == "dev" else ("base",):
        install(name)
    link()


def make_environment() -> None:
    try:
        venv.create(PLACE, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:
        sys.exit("This Python cannot make an environment with pip. On Debian: apt-get install python3-venv")


def install(name: str) -> None:
    """One lock, by uv, or by pip where uv is absent or finds no files: it does not read pip's index settings."""
    by_uv: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", PYTHON]
    if UV.exists() and attempt([*by_uv, "--require-hashes", "--no-deps", "-r", LOCKS / f"{name}.txt"]):
        return
    print(f"Installing {name}.txt with pip, which takes somewhat longer.", flush=True)
    if not attempt(with_pip(name)):
        sys.exit(f"The packages of requirements/{name}.txt could not be installed; the reason stands above.")


def with_pip(name: str) -> list[str | Path]:
    words: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [*words, "--require-hashes", "--no-deps", "-r", LOCKS / f"{name}.txt"]


def attempt(words: list[str | Path]) -> bool:
    """Run it and say whether it went well. Settings of a surrounding environment must not redirect uv."""
    environment = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    return subprocess.run(words, env=environment, check=False).returncode == 0


def link() -> None:
    """Let this environment import the checkout, and give it the command `klankbord`."""
    [packages] = PLACE.glob("lib/python3*/site-packages")
    (packages / "klankbord.pth").write_text(f"{ROOT / 'src'}\n", encoding="utf-8")
    command = PLACE / "bin" / "klankbord"
    command.write_text(STARTER.format(python=PYTHON), encoding="utf-8")
    command.chmod(0o755)


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else "dev")
