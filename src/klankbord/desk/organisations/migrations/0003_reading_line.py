"""Who looked at which conversation."""

import django.db.models.deletion
from django.db import migrations, models

import klankbord.desk.wall
import klankbord.kernel.ids


class Migration(migrations.Migration):
    dependencies = [("organisations", "0002_errands_and_reset_links")]

    operations = [
        migrations.CreateModel(
            name="ReadingLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=klankbord.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("at", models.DateTimeField()),
                ("conversation_id", models.UUIDField()),
                ("number", models.BigIntegerField()),
                ("contact_id", models.UUIDField()),
                (
                    "by",
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
                "indexes": [
                    models.Index(fields=["organisation", "-at", "id"], name="reading_by_time"),
                    models.Index(fields=["organisation", "contact_id", "-at"], name="reading_by_contact"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "by", "conversation_id", "hour"], name="reading_once_an_hour"
                    )
                ],
            },
        ),
    ]
