"""Make or update the database: tables, the organisation wall, static files and translations. Safe to repeat."""

from __future__ import annotations

import argparse

from .machine import desk

_UNUSED = ["*-2.js", "*-4*.js", "htmx-2-compat*"]  # of the packaged htmx, we serve version 2, minified


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="say nothing when all went well")


def run(options: argparse.Namespace) -> int:
    with desk(role="owner"):
        from django.conf import settings
        from django.core.management import call_command

        from klankbord.desk.masonry import build_wall
        from klankbord.plumbing.look.translations import compile_all

        call_command("migrate", verbosity=0, interactive=False)
        build_wall()
        compile_all()
        call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=_UNUSED)
        if not options.quiet:
            print(f"The database is up to date; its files are in {settings.ENVIRONMENT.data_dir}.")
    return 0
