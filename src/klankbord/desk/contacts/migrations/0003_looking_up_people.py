"""Columns that the database keeps by itself, so that nobody who writes a contact has to think of them: the name to sort
and compare by, and the words under which a person is found.

As with messages, `@@` cannot use its index under row-level security; the function runs as the tables' owner, takes the
organisation from the wall's own setting and gives ids only. A number is found with and without what stands before its
last nine digits: the country's, or a nought.
"""

from django.db import migrations

MAKE = r"""
ALTER TABLE contacts_contact ADD COLUMN name_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
    left(lower(regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g')), 200)) STORED;
ALTER TABLE contacts_contact ADD COLUMN words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple',
    translate(lower(regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g')),
        '@.-_+/:''’', '         '))) STORED;
ALTER TABLE contacts_handle ADD COLUMN phone_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
    right(regexp_replace(phone, '[^0-9]', '', 'g'), 9)) STORED;
ALTER TABLE contacts_handle ADD COLUMN words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple',
    translate(lower(regexp_replace(
            normalize(name || ' ' || username || ' ' || email, NFKD), '[\u0300-\u036f]', '', 'g')),
        '@.-_+/:''’', '         ')
    || ' ' || regexp_replace(phone, '[^0-9]', '', 'g')
    || ' ' || right(regexp_replace(phone, '[^0-9]', '', 'g'), 9))) STORED;

CREATE INDEX contact_by_name ON contacts_contact (organisation_id, name_key, id) WHERE merged_into_id IS NULL;
CREATE INDEX contact_words ON contacts_contact USING gin (words);
CREATE INDEX handle_words ON contacts_handle USING gin (words);
CREATE INDEX handle_by_phone ON contacts_handle (organisation_id, phone_key) WHERE phone_key <> '';

CREATE FUNCTION klankbord_find_contacts(wanted tsquery, most integer)
RETURNS TABLE (contact_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    (SELECT c.id FROM contacts_contact c
      WHERE c.organisation_id = current_setting('klankbord.organisation')::uuid AND c.words @@ wanted
      LIMIT least(most, 500))
    UNION
    (SELECT h.contact_id FROM contacts_handle h
      WHERE h.organisation_id = current_setting('klankbord.organisation')::uuid AND h.words @@ wanted
      LIMIT least(most, 500));
END $$;

REVOKE ALL ON FUNCTION klankbord_find_contacts(tsquery, integer) FROM PUBLIC;
"""

UNMAKE = """
DROP FUNCTION klankbord_find_contacts(tsquery, integer);
ALTER TABLE contacts_handle DROP COLUMN words, DROP COLUMN phone_key;
ALTER TABLE contacts_contact DROP COLUMN words, DROP COLUMN name_key;
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_companies_notes_and_merges")]
    operations = [migrations.RunSQL(MAKE, UNMAKE)]
