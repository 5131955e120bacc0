"""Labels stand under headings."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0004_thread_sent_at")]

    operations = [
        migrations.AddField("label", "group", models.CharField(blank=True, db_default="", max_length=40)),
    ]
