"""One function for the operator's gauges: sums over all organisations, and nothing that names one."""

from django.db import migrations

MAKE = """
CREATE FUNCTION klankbord_gauges() RETURNS TABLE (name text, label text, value double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT 'deliveries_waiting', '', count(*)::float FROM inboxes_delivery WHERE is_waiting
    UNION ALL
    SELECT 'deliveries_oldest_seconds', '', coalesce(extract(epoch FROM now() - min(received_at)), 0)
      FROM inboxes_delivery WHERE is_waiting
    UNION ALL
    SELECT 'outbox', state, count(*) FROM conversations_outbox GROUP BY state
    UNION ALL
    SELECT 'outbox_overdue_seconds', '', greatest(coalesce(extract(epoch FROM now() - min(due_at)), 0), 0)
      FROM conversations_outbox WHERE state = 'queued'
    UNION ALL
    SELECT 'dead_letters', '', count(*) FROM inboxes_deadletter WHERE settled_at IS NULL
    UNION ALL
    SELECT 'inboxes', state, count(*) FROM inboxes_inbox GROUP BY state
    UNION ALL
    SELECT 'timers_overdue_seconds', '', greatest(coalesce(extract(epoch FROM now() - min(due_at)), 0), 0)
      FROM conversations_timer
$$;
REVOKE ALL ON FUNCTION klankbord_gauges() FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_search"), ("inboxes", "0004_send_gate")]
    operations = [migrations.RunSQL(MAKE, "DROP FUNCTION klankbord_gauges()")]
