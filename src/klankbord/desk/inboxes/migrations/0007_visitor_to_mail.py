"""Visitors who left an address, by when they were last seen: every half minute the clock asks whom to mail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0006_knock")]
    operations = [
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                fields=["organisation", "inbox", "seen_at"],
                name="visitor_to_mail",
                condition=models.Q(("email", ""), _negated=True),
            ),
        ),
    ]
