"""Tokens, integrations, webhooks and their calls."""

import django.db.models.deletion
from django.db import migrations, models

import klankbord.desk.wall
import klankbord.kernel.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organisations", "0003_reading_line"),
    ]

    operations = [
        migrations.CreateModel(
            name="TokenRoute",
            fields=[
                ("token_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("organisation_id", models.UUIDField()),
                ("token_id", models.UUIDField(unique=True)),
                ("member_id", models.UUIDField()),
                ("is_integration", models.BooleanField()),
                ("scopes", models.JSONField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Integration",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.membership",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.membership",
                    ),
                ),
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
            },
        ),
        migrations.CreateModel(
            name="WebhookCall",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("organisation_id", models.UUIDField(editable=False)),
                ("webhook_id", models.UUIDField()),
                ("event_id", models.UUIDField()),
                ("kind", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("arrived", "Arrived"), ("given up", "Given Up")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("tried_at", models.DateTimeField(null=True)),
                ("took_ms", models.IntegerField(null=True)),
                ("status", models.SmallIntegerField(null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("asked", models.TextField(blank=True)),
                ("answered", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["organisation_id", "webhook_id", "due_at"],
                        name="webhook_call_due",
                    ),
                    models.Index(fields=["organisation_id", "webhook_id", "-created_at"], name="webhook_call_log"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation_id", "webhook_id", "event_id"), name="one_call_per_event"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookTail",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("organisation_id", models.UUIDField(editable=False)),
                ("transaction", models.BigIntegerField()),
                ("event_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("webhooks", models.JSONField(default=list)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("organisation_id",), name="one_tail_per_organisation")],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("scopes", models.JSONField(default=list)),
                ("ending", models.CharField(max_length=4)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.membership",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.membership",
                    ),
                ),
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
                (
                    "integration",
                    klankbord.desk.wall.OrganisationKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.integration",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organisation", "member"], name="token_by_member")],
            },
        ),
        migrations.CreateModel(
            name="StoredAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("token_id", models.UUIDField()),
                ("key", models.CharField(max_length=255)),
                ("request_hash", models.CharField(max_length=64)),
                ("status", models.SmallIntegerField(default=0)),
                ("headers", models.JSONField(default=dict)),
                ("body", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["organisation", "created_at"], name="answer_by_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "token_id", "key"), name="answer_once_per_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(max_length=1000)),
                ("events", models.JSONField(default=list)),
                ("secrets", models.BinaryField()),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("paused", "Paused")], default="active", max_length=8
                    ),
                ),
                ("state_reason", models.CharField(blank=True, max_length=300)),
                ("state_since", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.membership",
                    ),
                ),
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
                "constraints": [models.UniqueConstraint(fields=("organisation", "name"), name="webhook_name_once")],
            },
        ),
    ]
