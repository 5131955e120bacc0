"""When administrators were told that an inbox needs a person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0007_visitor_to_mail")]

    operations = [migrations.AddField("Inbox", "alarmed_at", models.DateTimeField(null=True))]
