"""The delivery table, one partition a week: retention drops whole partitions instead of deleting rows.

Two functions owned by the tables' owner let the worker, which may not change tables, make and drop partitions.
"""

from django.db import migrations

MAKE = """
CREATE TABLE inboxes_delivery (
    id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    inbox_id uuid NOT NULL,
    lane smallint NOT NULL,
    received_at timestamptz NOT NULL,
    body bytea NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}',
    query jsonb NOT NULL DEFAULT '{}',
    is_history boolean NOT NULL DEFAULT false,
    is_waiting boolean NOT NULL DEFAULT true,
    not_before timestamptz,
    attempts smallint NOT NULL DEFAULT 0,
    items integer,
    outcomes jsonb,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX delivery_waiting ON inboxes_delivery (lane, id) WHERE is_waiting;
CREATE INDEX delivery_waiting_by_inbox ON inboxes_delivery (organisation_id, inbox_id) WHERE is_waiting;
CREATE TABLE inboxes_delivery_rest PARTITION OF inboxes_delivery DEFAULT;

CREATE FUNCTION klankbord_make_delivery_partitions(first_day date, weeks integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    monday date := date_trunc('week', first_day)::date;
    made integer := 0;
    partition text;
BEGIN
    FOR week IN 0 .. weeks - 1 LOOP
        partition := 'inboxes_delivery_' || to_char(monday + 7 * week, 'IYYY_IW');
        CONTINUE WHEN to_regclass(partition) IS NOT NULL;
        CONTINUE WHEN EXISTS (SELECT 1 FROM inboxes_delivery_rest
                               WHERE received_at >= monday + 7 * week AND received_at < monday + 7 * (week + 1));
        EXECUTE format('CREATE TABLE %I PARTITION OF inboxes_delivery FOR VALUES FROM (%L) TO (%L)',
                       partition, (monday + 7 * week) || ' 00:00:00+00', (monday + 7 * (week + 1)) || ' 00:00:00+00');
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION klankbord_drop_delivery_partitions(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old record;
    still_waits boolean;
    dropped integer := 0;
BEGIN
    FOR old IN SELECT c.relname, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1] AS ends
                 FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
                WHERE inhparent = 'inboxes_delivery'::regclass LOOP
        CONTINUE WHEN old.ends IS NULL OR old.ends::timestamptz > before;
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE is_waiting)', old.relname) INTO still_waits;
        CONTINUE WHEN still_waits;
        EXECUTE format('DROP TABLE %I', old.relname);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

REVOKE ALL ON FUNCTION klankbord_make_delivery_partitions(date, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION klankbord_drop_delivery_partitions(date) FROM PUBLIC;
SELECT klankbord_make_delivery_partitions(current_date, 8);
"""

UNMAKE = """
DROP FUNCTION klankbord_make_delivery_partitions(date, integer);
DROP FUNCTION klankbord_drop_delivery_partitions(date);
DROP TABLE inboxes_delivery;
"""


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0001_initial")]
    operations = [migrations.RunSQL(MAKE, UNMAKE)]
