"""Invitations, sessions of which only a hash is kept, second steps as a setting, branding, the first-run wizard."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import klankbord.desk.wall
import klankbord.kernel.ids


def uuid_key() -> Any:
    return models.UUIDField(default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("organisations", "0004_answering_takes")]

    operations = [
        migrations.AddField("organisation", "asks_second_step", models.BooleanField(default=True)),
        migrations.AddField("organisation", "second_step_from", models.DateTimeField(null=True)),
        migrations.AddField("organisation", "set_up_step", models.CharField(blank=True, max_length=12, default="")),
        migrations.AlterField("organisation", "set_up_step", models.CharField(blank=True, max_length=12)),
        migrations.AddField("team", "is_gone", models.BooleanField(db_default=False, default=False)),
        migrations.CreateModel(
            name="DeskSession",
            fields=[
                ("key_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("data", models.TextField()),
                ("device", models.CharField(blank=True, max_length=200)),
                ("origin", models.CharField(blank=True, max_length=45)),
                ("began_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        # Its keys could be read in it. Whoever is signed in signs in again, once.
        migrations.RunSQL("DROP TABLE IF EXISTS django_session", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", uuid_key()),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("email", models.CharField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("agent", "Agent"),
                            ("lead", "Lead"),
                            ("analyst", "Analyst"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=16,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="organisations.membership"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="organisations.organisation"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["organisation", "email"], name="one_invitation_each")]
            },
        ),
        migrations.CreateModel(
            name="Branding",
            fields=[
                ("id", uuid_key()),
                ("accent", models.CharField(blank=True, max_length=7)),
                ("logo", models.BinaryField(null=True)),
                ("changed_at", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        default=klankbord.desk.wall.current_organisation_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=["organisation"], name="one_branding")],
            },
        ),
    ]
