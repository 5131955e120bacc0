"""Replies that a colleague looks at before they leave."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0008_search_with_stems")]
    operations = [
        migrations.AlterField(
            "Draft",
            "kind",
            models.CharField(choices=[("reply", "Reply"), ("note", "Note"), ("proposal", "Proposal")], max_length=8),
        ),
        migrations.AddField("Draft", "facts", models.JSONField(default=dict)),
        migrations.AddIndex(
            "Draft",
            models.Index(
                condition=models.Q(("kind", "proposal")), fields=["organisation", "saved_at"], name="proposals"
            ),
        ),
    ]
