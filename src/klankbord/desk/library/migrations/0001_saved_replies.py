"""Saved replies, and the facts of the business that they name."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import klankbord.desk.wall
import klankbord.kernel.ids


def _id() -> Any:
    return models.UUIDField(default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)


def _organisation() -> Any:
    return models.ForeignKey(
        db_index=False, default=klankbord.desk.wall.current_organisation_id, editable=False,
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation",
    )  # fmt: skip


_OPTIONS = {"abstract": False, "base_manager_name": "objects"}


class Migration(migrations.Migration):
    initial = True
    dependencies = [("organisations", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="SavedReply",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=80)),
                ("text_nl", models.TextField(blank=True)),
                ("text_en", models.TextField(blank=True)),
                ("uses", models.IntegerField(default=0)),
                ("changed_at", models.DateTimeField()),
                (
                    "changed_by",
                    models.ForeignKey(
                        db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to="organisations.membership",
                    ),
                ),
                ("organisation", _organisation()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+",
                        to="organisations.membership",
                    ),
                ),
                (
                    "team",
                    klankbord.desk.wall.OrganisationKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+",
                        to="organisations.team",
                    ),
                ),
            ],
            options=_OPTIONS,
        ),
        migrations.CreateModel(
            name="BusinessFact",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=40)),
                ("value_nl", models.TextField(blank=True)),
                ("value_en", models.TextField(blank=True)),
                ("organisation", _organisation()),
            ],
            options=_OPTIONS,
        ),
        migrations.AddIndex(
            "SavedReply", models.Index(fields=["organisation", "-uses", "id"], name="saved_reply_by_use")
        ),
        migrations.AddConstraint(
            "SavedReply",
            models.CheckConstraint(
                condition=models.Q(("owner", None), ("team", None), _connector="OR"), name="saved_reply_of_one"
            ),
        ),
        migrations.AddConstraint(
            "SavedReply",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("text_nl", ""), _negated=True), models.Q(("text_en", ""), _negated=True), _connector="OR"
                ),
                name="saved_reply_says_something",
            ),
        ),
        migrations.AddConstraint(
            "BusinessFact",
            models.UniqueConstraint(fields=("organisation", "name"), name="business_fact_once"),
        ),
    ]  # fmt: skip
