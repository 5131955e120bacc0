"""Searching: a GIN index, and the one function that may use it.

`@@` is not leakproof, so under row-level security the planner ignores the index; the function runs as the tables'
owner and takes the organisation from the same setting as the wall does. It gives ids only; rows are fetched under
the wall in a second statement.
"""

from django.db import migrations

MAKE = """
CREATE INDEX search_words ON conversations_searchdocument USING gin (document);

CREATE FUNCTION klankbord_search(words tsquery, inboxes uuid[], newest integer)
RETURNS TABLE (message_id uuid, conversation_id uuid, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT s.message_id, s.conversation_id, s.at
      FROM conversations_searchdocument s
     WHERE s.organisation_id = current_setting('klankbord.organisation')::uuid
       AND s.document @@ words
       AND s.inbox_id = ANY (inboxes)
     ORDER BY s.at DESC, s.id DESC
     LIMIT least(newest, 200);
END $$;

REVOKE ALL ON FUNCTION klankbord_search(tsquery, uuid[], integer) FROM PUBLIC;
"""

UNMAKE = """
DROP FUNCTION klankbord_search(tsquery, uuid[], integer);
DROP INDEX search_words;
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]
    operations = [migrations.RunSQL(MAKE, UNMAKE)]
