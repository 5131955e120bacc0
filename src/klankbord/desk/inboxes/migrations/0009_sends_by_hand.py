"""An inbox whose automatic messages were stopped still sends what people type."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0008_inbox_alarm")]
    operations = [
        migrations.AddField("Inbox", "sends_by_hand", models.BooleanField(default=False)),
        migrations.AddField("SendGate", "by_hand_only", models.BooleanField(default=False)),
    ]
