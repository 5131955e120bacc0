"""The ledger knows when something last came in, by whichever way; the inbox knew it of polling only."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0009_sends_by_hand")]

    operations = [
        migrations.AddField("ledgerline", "last_at", models.DateTimeField(null=True)),
        migrations.RemoveField("inbox", "last_delivery_at"),
    ]
