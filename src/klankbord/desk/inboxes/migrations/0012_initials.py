"""Replies of an inbox can end with the initials of who wrote them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0011_muted_posts")]
    operations = [migrations.AddField("Inbox", "signs_with_initials", models.BooleanField(default=False))]
