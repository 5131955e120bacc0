"""Each event says by which transaction it was written, so that those who follow events miss none that commits late.

By a default of the database: nothing that writes events has to know. Events from before have none, and are not told.
The index is built beside work that goes on.
"""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("integrations", "0001_initial"), ("conversations", "0004_thread_sent_at")]
    operations = [
        migrations.RunSQL(
            [
                "ALTER TABLE conversations_event ADD COLUMN IF NOT EXISTS transaction bigint",
                "ALTER TABLE conversations_event"
                " ALTER COLUMN transaction SET DEFAULT (pg_current_xact_id()::text::bigint)",
            ],
            reverse_sql="ALTER TABLE conversations_event DROP COLUMN transaction",
        ),
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS event_by_transaction"
            " ON conversations_event (organisation_id, transaction, id)",
            reverse_sql="DROP INDEX CONCURRENTLY event_by_transaction",
        ),
    ]
