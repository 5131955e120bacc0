"""The posts under which new comments are kept and wake nobody."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0010_last_arrival")]
    operations = [
        migrations.AddField(model_name="inbox", name="muted", field=models.JSONField(default=list)),
    ]
