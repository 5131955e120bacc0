"""Visitors of a chat widget: their sessions (entrance), what they left us, and files chosen but not sent."""

import django.db.models.deletion
from django.db import migrations, models

import klankbord.desk.wall
import klankbord.kernel.ids


class Migration(migrations.Migration):
    dependencies = [
        ("inboxes", "0002_delivery_partitions"),
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="VisitorSession",
            fields=[
                ("token_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("organisation_id", models.UUIDField()),
                ("inbox_id", models.UUIDField()),
                ("visitor", models.CharField(max_length=200)),
                ("is_proven", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["last_seen_at"], name="visitor_session_age")],
            },
        ),
        migrations.CreateModel(
            name="Visitor",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("external_id", models.CharField(max_length=200)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("language", models.CharField(blank=True, max_length=8)),
                ("seen_at", models.DateTimeField()),
                ("typed_at", models.DateTimeField(null=True)),
                ("read_up_to", models.DateTimeField(null=True)),
                ("mailed_up_to", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "inbox",
                    klankbord.desk.wall.OrganisationKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inboxes.inbox"
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
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "inbox", "external_id"), name="visitor_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="VisitorUpload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("visitor", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=120)),
                ("name", models.CharField(max_length=300)),
                ("content_type", models.CharField(max_length=120)),
                ("size", models.BigIntegerField()),
                ("sent_as", models.CharField(blank=True, max_length=80)),
                ("created_at", models.DateTimeField()),
                (
                    "inbox",
                    klankbord.desk.wall.OrganisationKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inboxes.inbox"
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
                "indexes": [
                    models.Index(fields=["organisation", "inbox", "visitor", "created_at"], name="upload_by_visitor")
                ],
            },
        ),
    ]
