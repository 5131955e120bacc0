"""What a person let through in an hour, so that the send governor does not stop the same storm twice."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0004_send_gate")]
    operations = [
        migrations.AddField(model_name="sendhabit", name="confirmed", field=models.IntegerField(default=0)),
    ]
