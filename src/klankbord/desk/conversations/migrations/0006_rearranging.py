"""Conversations that were merged or linked, and the post under which a thread stands."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import klankbord.desk.wall
import klankbord.kernel.ids

_STATUSES = [
    ("open", "Open"),
    ("pending", "Pending"),
    ("snoozed", "Snoozed"),
    ("resolved", "Resolved"),
    ("spam", "Spam"),
    ("merged", "Merged"),
]
_CURRENT = klankbord.desk.wall.current_organisation_id


def _owned() -> list[tuple[str, Any]]:
    return [
        (
            "id",
            models.UUIDField(default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False),
        ),
        (
            "organisation",
            models.ForeignKey(
                db_index=False,
                default=_CURRENT,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
    ]


def _conversation(**more: Any) -> klankbord.desk.wall.OrganisationKey:
    return klankbord.desk.wall.OrganisationKey(
        db_constraint=False, related_name="+", to="conversations.conversation", **more
    )


def _member() -> Any:
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="organisations.membership",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0005_label_group"),
        ("inboxes", "0011_muted_posts"),
    ]
    operations = [
        migrations.AlterField(
            model_name="conversation",
            name="status",
            field=models.CharField(choices=_STATUSES, default="open", max_length=10),
        ),
        migrations.AddField(
            model_name="conversation",
            name="merged_into",
            field=_conversation(null=True, on_delete=django.db.models.deletion.PROTECT),
        ),
        migrations.AddField(model_name="conversation", name="rearranged_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="thread",
            name="post",
            field=models.CharField(blank=True, db_default="", max_length=600),
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                *_owned(),
                ("threads", models.JSONField()),
                ("labels", models.JSONField(default=list)),
                ("before", models.JSONField()),
                ("at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                ("by", _member()),
                ("source", _conversation(on_delete=django.db.models.deletion.CASCADE)),
                ("target", _conversation(on_delete=django.db.models.deletion.CASCADE)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organisation", "target", "-at"], name="merge_by_target"),
                    models.Index(fields=["organisation", "source"], name="merge_by_source"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConversationLink",
            fields=[
                *_owned(),
                ("at", models.DateTimeField()),
                ("by", _member()),
                ("one", _conversation(on_delete=django.db.models.deletion.CASCADE)),
                ("other", _conversation(on_delete=django.db.models.deletion.CASCADE)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organisation", "other"], name="link_by_other")],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "one", "other"), name="conversation_link_once")
                ],
            },
        ),
    ]
