"""Make an organisation with an administrator, or give an existing organisation another one.

The password is asked for, or read from KLANKBORD_ADMIN_PASSWORD.
"""

from __future__ import annotations

import argparse
import getpass
import os
from datetime import UTC, datetime

from .machine import desk
from .main import CommandError


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email")
    parser.add_argument("--name", required=True, help="the person's name, as customers may see it")
    parser.add_argument("--organisation", required=True, help="the organisation's name")
    parser.add_argument("--language", choices=["nl", "en"], default="nl")


def run(options: argparse.Namespace) -> int:
    password = os.environ.get("KLANKBORD_ADMIN_PASSWORD") or getpass.getpass("Password: ")
    with desk(role="app"):
        from django.contrib.auth.password_validation import validate_password
        from django.core.exceptions import ValidationError
        from django.db import transaction
        from django.utils.text import slugify

        from klankbord.desk.organisations.models import Organisation, Role
        from klankbord.flows.founding import add_person, found_organisation

        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        slug = slugify(options.organisation)
        with transaction.atomic():
            organisation = Organisation.objects.filter(slug=slug).first() or found_organisation(
                name=options.organisation, slug=slug, now=datetime.now(UTC), language=options.language
            )
            add_person(
                organisation=organisation,
                email=options.email,
                name=options.name,
                password=password,
                role=Role.ADMINISTRATOR,
            )
    print(f"{options.name} can sign in as {options.email} and is administrator of {options.organisation}.")
    return 0
