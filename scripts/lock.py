"""Write requirements/*.txt: every package with its version and the hashes of its files, and nothing else.

No address, no index, no path: whoever installs decides where files come from, and the hashes decide whether they are
the right ones. Files are those for Linux (x86-64 and ARM, glibc) and CPython 3.11 and later, and the source archive.
Versions are at least a week old: a release that someone slipped in is usually found out sooner than that.

    python scripts/lock.py [package ...]      all, or only these, to their newest version; others stay as they are
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
LOCKS = ("uv", "base", "dev")
HEAD = "# Made by `make lock` from {sources}; names, versions and hashes only. Installed without looking further.\n"

# The tail of a wheel's name: python tag, abi tag, platform tag, each possibly several joined by dots.
WHEEL = re.compile(r"-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl$")
PYTHONS = re.compile(r"(?:^|\.)(?:py3|cp3(?:1[1-9]))(?:\.|$)")
STABLE = re.compile(r"(?:^|\.)cp3\d*(?:\.|$)")
LINUX = re.compile(r"(?:^|\.)(?:any|manylinux[0-9_]*_(?:x86_64|aarch64))(?:\.|$)")
NOT_HERE = ("sys_platform == 'win32'", "sys_platform == 'darwin'", "platform_system == 'Windows'")


def main(wanted: list[str]) -> None:
    locked: dict[str, dict[str, tuple[str, list[str]]]] = {}
    for name in LOCKS:
        packages = resolve([f"{name}.in"], held=held_back(name, wanted), constraints=locked.get("base", {}))
        sources = f"{name}.in"
        if name == "base":
            packages |= resolve(["embedded.in"], held=held_back(name, wanted), constraints={}, alone=True)
            sources = "base.in and embedded.in"
        if name == "dev":
            packages = {one: found for one, found in packages.items() if one not in locked["base"]}
        locked[name] = packages
        (FOLDER / f"{name}.txt").write_text(HEAD.format(sources=sources) + render(packages), encoding="utf-8")
        print(f"{name}.txt: {len(packages)} packages")


def held_back(name: str, wanted: list[str]) -> dict[str, str]:
    """The versions of the present lock, unless all or just these are asked to move: name → version."""
    present = FOLDER / f"{name}.txt"
    if not wanted or not present.exists():
        return {}
    versions = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", present.read_text(encoding="utf-8"), re.MULTILINE))
    return {one: version for one, version in versions.items() if one not in wanted}


def resolve(
    sources: list[str],
    *,
    held: dict[str, str],
    constraints: dict[str, tuple[str, list[str]]],
    alone: bool = False,
) -> dict[str, tuple[str, list[str]]]:
    """Name → version and hashes, for the closure of the sources (`alone`: for the sources themselves)."""
    with tempfile.TemporaryDirectory() as folder:
        pins = held | {name: version for name, (version, _) in constraints.items()}
        limits, answer = Path(folder, "limits.txt"), Path(folder, "pylock.toml")
        limits.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
        words = [uv(), "pip", "compile", "--quiet", "--no-config", "--universal", "--python-version", "3.11"]
        words += ["--exclude-newer", "7 days", "--constraints", str(limits)]
        words += ["--format", "pylock.toml", "--output-file", str(answer)]
        words += ["--no-deps"] if alone else []
        subprocess.run([*words, *(str(FOLDER / source) for source in sources)], check=True, stdout=subprocess.DEVNULL)
        packages = tomllib.loads(answer.read_text(encoding="utf-8"))["packages"]
    return {
        one["name"]: (one["version"], hashes)
        for one in packages
        if one.get("marker", "") not in NOT_HERE and (hashes := fitting(one))
    }


def uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv") or sys.exit("scripts/lock.py needs uv: make setup")


def fitting(package: dict[str, Any]) -> list[str]:
    files = [wheel for wheel in package.get("wheels", ()) if fits(wheel["url"].rpartition("/")[2])]
    files += [package["sdist"]] if "sdist" in package else []
    return sorted({file["hashes"]["sha256"] for file in files})


def fits(filename: str) -> bool:
    """Whether a wheel can run on CPython 3.11 or later on Linux with glibc."""
    tags = WHEEL.search(filename)
    if not tags or not LINUX.search(tags["platform"]):
        return False
    stable_abi = "abi3" in tags["abi"].split(".") and STABLE.search(tags["python"])
    free_threaded = tags["abi"].endswith("t")
    return not free_threaded and bool(stable_abi or PYTHONS.search(tags["python"]))


def render(packages: dict[str, tuple[str, list[str]]]) -> str:
    return "".join(
        f"{name}=={version} \\\n" + " \\\n".join(f"    --hash=sha256:{each}" for each in hashes) + "\n"
        for name, (version, hashes) in sorted(packages.items())
    )


if __name__ == "__main__":
    main(sys.argv[1:])
