"""Say what is wrong here, why it matters, and how to mend it. Exit code 0: all well; 1: something is not."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from importlib import import_module

from pydantic import ValidationError

from klankbord.plumbing.postgres import EmbeddedPostgresError

from .doctor_machine import look_at_machine, look_at_settings
from .findings import Finding
from .machine import data_dir, desk


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    findings = []
    for finding in _findings():
        findings.append(finding)
        if not options.json:
            print(_as_text(finding), flush=True)
    troubles = sum(not each.is_well for each in findings)
    if options.json:
        print(json.dumps([_as_json(each) for each in findings], ensure_ascii=False, indent=1))
    else:
        print(f"\n{len(findings)} things looked at; {_summary(troubles)}")
    return 1 if troubles else 0


def _summary(troubles: int) -> str:
    return "all is well." if not troubles else f"{troubles} {'needs' if troubles == 1 else 'need'} attention."


def _findings() -> Iterator[Finding]:
    """From the ground up; where the ground is missing, nothing above it is looked at."""
    folder = data_dir()
    machine = list(look_at_machine(folder))
    yield from machine
    try:
        environment = import_module("klankbord.project.environment").Environment()
    except ValidationError as error:
        yield _wrong_settings(error)
        return
    yield from look_at_settings(environment)
    if not all(each.is_well for each in machine if each.name == "Secret key"):
        return
    is_embedded = not os.environ.get("DATABASE_URL")
    if is_embedded and not (folder / "postgres" / "cluster").exists():
        yield Finding(
            "Database", "is not there yet", "Everything lives there.", "Run `klankbord run`, or `klankbord migrate`."
        )
        return
    try:
        with desk(role="owner"):
            from .doctor_desk import look_at_desk

            yield from look_at_desk(os.environ["DATABASE_URL"])
    except EmbeddedPostgresError as error:
        yield Finding("Database", str(error), "Everything lives there.", "Mend what it says, then look again.")


def _wrong_settings(error: ValidationError) -> Finding:
    wrong = [f"KLANKBORD_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()]
    return Finding("Settings", "; ".join(wrong), "No process starts with a wrong value.", "Correct what is named here.")


def _as_text(finding: Finding) -> str:
    lines = [f"{'ok' if finding.is_well else '!!'}  {finding.name:<22} {finding.what}"]
    if not finding.is_well:
        lines += [f"      why     {finding.why}", f"      do      {finding.advice}"]
    return "\n".join(lines)


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "name": finding.name,
        "is_well": finding.is_well,
        "what": finding.what,
        "why": finding.why,
        "advice": finding.advice,
    }
