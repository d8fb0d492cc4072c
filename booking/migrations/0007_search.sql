-- 0007: what free text finds: Swedish stems, and folded text for parts of words and for misspellings.
-- Kept by triggers, so that no writer of places has to think of it. Never edited after release.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE search_word (
  "code" VARCHAR(40) PRIMARY KEY NOT NULL,
  "words" TEXT NOT NULL
);
CREATE TABLE search_text (
  "resource" UUID PRIMARY KEY NOT NULL REFERENCES "resource" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "words" TEXT NOT NULL,
  "document" TSVECTOR NOT NULL,
  "plain" TEXT NOT NULL
);

-- What people call things that rows name by a code.
INSERT INTO search_word (code, words) VALUES
  ('hall', 'hall idrottshall sporthall gympasal gymnastiksal sports hall gym'),
  ('hall_part', 'halldel halvhall del av hall part of hall'),
  ('ice', 'is isbana ishall isrink hockey skridskor ice rink'),
  ('pitch', 'plan fotbollsplan bollplan fotboll football pitch'),
  ('premises', 'lokal möteslokal mötesrum samlingslokal sammanträdesrum meeting room'),
  ('vehicle', 'fordon bil vehicle car'),
  ('pool', 'bassäng simhall simbassäng bad simning swimming pool'),
  ('court', 'bana court'),
  ('lane', 'bana simbana löparbana lane'),
  ('bike', 'cykel elcykel lådcykel bike bicycle'),
  ('equipment', 'utrustning material equipment'),
  ('projector', 'projektor projector'),
  ('screen', 'skärm bildskärm screen'),
  ('whiteboard', 'skrivtavla whiteboard'),
  ('video', 'videomöte videokonferens video meeting'),
  ('wifi', 'wifi trådlöst nät internet'),
  ('kitchen', 'kök pentry kitchen'),
  ('kitchenette', 'pentry kök kitchenette'),
  ('stage', 'scen stage'),
  ('piano', 'piano flygel'),
  ('sound', 'ljudanläggning högtalare musik sound'),
  ('sound_system', 'ljudanläggning högtalare musik sound system'),
  ('hearing_loop', 'hörslinga teleslinga hearing loop'),
  ('step_free', 'rullstol tillgänglig rampfri wheelchair accessible'),
  ('wheelchair', 'rullstol tillgänglig wheelchair accessible'),
  ('changing_rooms', 'omklädningsrum omklädning changing rooms'),
  ('changing_room', 'omklädningsrum omklädning changing room'),
  ('showers', 'dusch duschar showers'),
  ('stands', 'läktare stands'),
  ('scoreboard', 'resultattavla matchur scoreboard'),
  ('goals', 'mål handbollsmål innebandymål goals'),
  ('mirrors', 'speglar spegelvägg dans mirrors'),
  ('floodlight', 'belysning elljus floodlight'),
  ('lighting', 'belysning elljus lighting'),
  ('parking', 'parkering parking'),
  ('electric', 'elbil eldriven laddbar electric'),
  ('tow_bar', 'dragkrok tow bar'),
  ('child_seat', 'bilbarnstol barnstol child seat'),
  ('lift', 'rullstolslift lift'),
  ('artificial_grass', 'konstgräs artificial grass'),
  ('grass', 'gräs naturgräs grass'),
  ('gravel', 'grus gravel'),
  ('parquet', 'parkett trägolv parquet'),
  ('rubber', 'gummigolv rubber floor'),
  ('water', 'vatten water'),
  ('wood', 'trägolv parkett wood'),
  ('sports_floor', 'sportgolv idrottsgolv sports floor'),
  ('ice_surface', 'is ice');

-- Small letters without marks, words apart by one space. The same on every server, whatever its locale.
CREATE FUNCTION plain_text(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
  regexp_replace(lower(translate($1, 'ÅÄÖÉÈÜÆØåäöéèüæø', 'AAOEEUAOaaoeeuao')), '[^a-z0-9]+', ' ', 'g');

CREATE FUNCTION refresh_search_text(ids uuid[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO search_text (resource, words, document, plain)
  SELECT id, lower(words), to_tsvector('pg_catalog.swedish', words), plain_text(words) FROM (
    SELECT r.id, concat_ws(' ', r.name, regexp_replace(r.tariff_class, '[._-]+', ' ', 'g'), f.name, f.address, m.name,
      (SELECT string_agg(coalesce(w.words, replace(c.code, '_', ' ')), ' ')
       FROM unnest(ARRAY[r.kind, r.surface] || r.features) c(code) LEFT JOIN search_word w ON w.code = c.code),
      r.description, f.description) AS words
    FROM resource r JOIN facility f ON f.id = r.facility JOIN municipality m ON m.code = f.municipality
    WHERE r.id = ANY(ids)) every
  ON CONFLICT (resource) DO UPDATE SET words = excluded.words, document = excluded.document, plain = excluded.plain
$$;

CREATE FUNCTION keep_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'resource' THEN
    PERFORM refresh_search_text(ARRAY[NEW.id]);
  ELSIF TG_TABLE_NAME = 'facility' THEN
    PERFORM refresh_search_text(ARRAY(SELECT r.id FROM resource r WHERE r.facility = NEW.id));
  ELSE
    PERFORM refresh_search_text(ARRAY(
      SELECT r.id FROM resource r JOIN facility f ON f.id = r.facility WHERE f.municipality = NEW.code));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER resource_search_text AFTER INSERT OR UPDATE OF name, kind, tariff_class, features, surface, description, facility
  ON resource FOR EACH ROW EXECUTE FUNCTION keep_search_text();
CREATE TRIGGER facility_search_text AFTER UPDATE OF name, address, description, municipality
  ON facility FOR EACH ROW EXECUTE FUNCTION keep_search_text();
CREATE TRIGGER municipality_search_text AFTER UPDATE OF name
  ON municipality FOR EACH ROW EXECUTE FUNCTION keep_search_text();
SELECT refresh_search_text(ARRAY(SELECT id FROM resource));

-- What is taken for more than a day: a search looks a day back from an opening, and here.
CREATE INDEX occupancy_long ON occupancy (leaf, ends_at) INCLUDE (starts_at, hold_until)
  WHERE ends_at - starts_at > interval '1 day';
