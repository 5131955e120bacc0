"""Views under a name, deeds on many conversations, and the indexes of the orders and filters of the lists."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import klankbord.desk.wall
import klankbord.kernel.ids


def _id() -> Any:
    return models.UUIDField(default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)


def _organisation() -> Any:
    return models.ForeignKey(
        db_index=False,
        default=klankbord.desk.wall.current_organisation_id,
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="organisations.organisation",
    )


class Migration(migrations.Migration):
    dependencies = [("conversations", "0006_rearranging"), ("organisations", "0003_reading_line")]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=60)),
                ("slug", models.CharField(max_length=60)),
                ("query", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organisations.membership",
                    ),
                ),
                ("organisation", _organisation()),
                (
                    "team",
                    klankbord.desk.wall.OrganisationKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organisations.team",
                    ),
                ),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        migrations.CreateModel(
            name="BulkDeed",
            fields=[
                ("id", _id()),
                ("deed", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                ("facts", models.JSONField(default=dict)),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.membership",
                    ),
                ),
                ("organisation", _organisation()),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        migrations.AddIndex("savedview", models.Index(fields=["organisation", "member"], name="saved_view_by_member")),
        migrations.AddIndex("savedview", models.Index(fields=["organisation", "team"], name="saved_view_by_team")),
        migrations.AddIndex("bulkdeed", models.Index(fields=["organisation", "by", "-at"], name="bulk_deed_by_person")),
        migrations.AddIndex(
            "conversation",
            models.Index(fields=["organisation", "status", "last_message_at", "id"], name="conv_spoken"),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                F("organisation"),
                F("status"),
                -F("priority"),
                F("is_idle"),
                F("sort_at"),
                F("id"),
                name="conv_priority",
                condition=Q(status__in=["open", "snoozed"]),
            ),
        ),
        migrations.AddIndex(
            "conversationlabel",
            models.Index(fields=["organisation", "label", "conversation"], name="conversations_of_label"),
        ),
    ]
