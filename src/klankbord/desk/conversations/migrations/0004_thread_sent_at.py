"""When something was last sent in a thread, for platforms that want some time between two messages in one place."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0003_gauges")]
    operations = [
        migrations.AddField(model_name="thread", name="sent_at", field=models.DateTimeField(null=True)),
    ]
