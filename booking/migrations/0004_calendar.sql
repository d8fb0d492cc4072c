-- 0004: the whole calendar: inherited rules, seasons and exceptions, pools and extras, series, requests,
-- staff blocks, teams, waiting, vehicles. Never edited after release.
ALTER TABLE party ADD COLUMN "born" DATE;

CREATE TABLE resource_image (
  "id" UUID PRIMARY KEY NOT NULL,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "position" SMALLINT NOT NULL DEFAULT 0,
  "media_type" VARCHAR(20) NOT NULL,
  "alt" VARCHAR(200) NOT NULL,
  "content" BYTEA NOT NULL
);
CREATE INDEX resource_image_resource ON "resource_image" ("resource");
ALTER TABLE "resource_image" ADD CONSTRAINT resource_image_type CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp'));
ALTER TABLE "resource_image" ADD CONSTRAINT resource_image_size CHECK (octet_length(content) <= 600000);
CREATE TABLE rule_set (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "facility" UUID REFERENCES "facility" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource" UUID REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "valid_from" DATE NOT NULL,
  "gap_min" SMALLINT,
  "step_min" SMALLINT,
  "min_min" INTEGER,
  "max_min" INTEGER,
  "notice_min" INTEGER,
  "horizon_days" SMALLINT,
  "opens_on" DATE,
  "own_first_days" SMALLINT,
  "kinds" VARCHAR(16)[],
  "min_age" SMALLINT,
  "quota_week" SMALLINT,
  "quota_open" SMALLINT,
  "approval" VARCHAR(8),
  "pending_holds" BOOLEAN,
  "answer_days" SMALLINT,
  "terms" VARCHAR(20),
  "purposes" VARCHAR(12)[],
  "preempt_days" SMALLINT,
  "needs_driver" BOOLEAN,
  "changed_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX rule_set_municipality ON "rule_set" ("municipality");
CREATE INDEX rule_set_facility ON "rule_set" ("facility");
CREATE INDEX rule_set_resource ON "rule_set" ("resource");
ALTER TABLE "rule_set" ADD CONSTRAINT rule_set_owner CHECK (num_nonnulls(municipality, facility, resource) = 1);
ALTER TABLE "rule_set" ADD CONSTRAINT rule_set_once UNIQUE NULLS NOT DISTINCT ("municipality", "facility", "resource", "valid_from");
ALTER TABLE "rule_set" ADD CONSTRAINT rule_set_minutes CHECK (gap_min BETWEEN 0 AND 1440 AND step_min BETWEEN 5 AND 1440 AND min_min > 0 AND max_min > 0 AND notice_min >= 0 AND horizon_days BETWEEN 0 AND 730 AND own_first_days BETWEEN 0 AND 365);
ALTER TABLE "rule_set" ADD CONSTRAINT rule_set_counts CHECK (quota_week > 0 AND quota_open > 0 AND min_age BETWEEN 0 AND 120 AND answer_days BETWEEN 0 AND 60);
ALTER TABLE "rule_set" ADD CONSTRAINT rule_set_approval CHECK (approval IN ('none', 'required'));
CREATE TABLE effective_rule (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "from_day" DATE NOT NULL,
  "until_day" DATE NOT NULL,
  "gap_min" SMALLINT NOT NULL,
  "step_min" SMALLINT NOT NULL,
  "min_min" INTEGER NOT NULL,
  "max_min" INTEGER NOT NULL,
  "notice_min" INTEGER NOT NULL,
  "horizon_days" SMALLINT NOT NULL,
  "opens_on" DATE,
  "own_first_days" SMALLINT NOT NULL,
  "kinds" VARCHAR(16)[],
  "min_age" SMALLINT NOT NULL,
  "quota_week" SMALLINT,
  "quota_open" SMALLINT,
  "needs_approval" BOOLEAN NOT NULL,
  "pending_holds" BOOLEAN NOT NULL,
  "answer_days" SMALLINT NOT NULL,
  "terms" VARCHAR(20),
  "purposes" VARCHAR(12)[],
  "preempt_days" SMALLINT,
  "needs_driver" BOOLEAN NOT NULL
);
ALTER TABLE "effective_rule" ADD CONSTRAINT effective_rule_once UNIQUE ("resource", "from_day");
ALTER TABLE "effective_rule" ADD CONSTRAINT effective_rule_order CHECK (until_day > from_day);
CREATE TABLE terms (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "version" VARCHAR(20) NOT NULL,
  "text_sv" TEXT NOT NULL,
  "text_en" TEXT NOT NULL,
  "published_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX terms_municipality ON "terms" ("municipality");
ALTER TABLE "terms" ADD CONSTRAINT terms_once UNIQUE ("municipality", "version");
CREATE TABLE opening_schedule (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "facility" UUID REFERENCES "facility" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource" UUID REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "name" VARCHAR(80) NOT NULL,
  "valid_from" DATE NOT NULL,
  "valid_to" DATE
);
CREATE INDEX opening_schedule_municipality ON "opening_schedule" ("municipality");
CREATE INDEX opening_schedule_facility ON "opening_schedule" ("facility");
CREATE INDEX opening_schedule_resource ON "opening_schedule" ("resource");
ALTER TABLE "opening_schedule" ADD CONSTRAINT opening_schedule_owner CHECK (num_nonnulls(municipality, facility, resource) = 1);
ALTER TABLE "opening_schedule" ADD CONSTRAINT opening_schedule_order CHECK (valid_to >= valid_from);
ALTER TABLE "opening_schedule" ADD CONSTRAINT opening_schedule_once UNIQUE NULLS NOT DISTINCT ("municipality", "facility", "resource", "valid_from");
CREATE TABLE opening_exception (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "facility" UUID REFERENCES "facility" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource" UUID REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "from_day" DATE NOT NULL,
  "to_day" DATE NOT NULL,
  "opens_min" SMALLINT,
  "closes_min" SMALLINT,
  "reason" VARCHAR(120) NOT NULL
);
CREATE INDEX opening_exception_municipality ON "opening_exception" ("municipality");
CREATE INDEX opening_exception_facility ON "opening_exception" ("facility");
CREATE INDEX opening_exception_resource ON "opening_exception" ("resource");
ALTER TABLE "opening_exception" ADD CONSTRAINT opening_exception_owner CHECK (num_nonnulls(municipality, facility, resource) = 1);
ALTER TABLE "opening_exception" ADD CONSTRAINT opening_exception_order CHECK (to_day >= from_day AND closes_min > opens_min AND closes_min <= 1440 AND opens_min >= 0);
ALTER TABLE "opening_exception" ADD CONSTRAINT opening_exception_both CHECK (num_nonnulls(opens_min, closes_min) IN (0, 2));
CREATE TABLE open_day (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "calendar" UUID NOT NULL,
  "day" DATE NOT NULL,
  "spans" TSTZMULTIRANGE NOT NULL,
  "reason" VARCHAR(120)
);
ALTER TABLE "open_day" ADD CONSTRAINT open_day_once UNIQUE ("calendar", "day");
CREATE TABLE school_break (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "name" VARCHAR(80) NOT NULL,
  "from_day" DATE NOT NULL,
  "to_day" DATE NOT NULL
);
CREATE INDEX school_break_municipality ON "school_break" ("municipality");
ALTER TABLE "school_break" ADD CONSTRAINT school_break_order CHECK (to_day >= from_day);
CREATE TABLE series (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "account" UUID,
  "rrule" TEXT NOT NULL,
  "starts_local" VARCHAR(16) NOT NULL,
  "minutes" INTEGER NOT NULL,
  "exdates" TEXT NOT NULL DEFAULT '[]',
  "rdates" TEXT NOT NULL DEFAULT '[]',
  "skip_school_breaks" BOOLEAN NOT NULL DEFAULT false,
  "purpose" VARCHAR(12) NOT NULL,
  "title" VARCHAR(120),
  "follows" UUID,
  "version" INTEGER NOT NULL DEFAULT 1,
  "created_at" TIMESTAMPTZ NOT NULL,
  "ended_at" TIMESTAMPTZ
);
CREATE INDEX series_municipality ON "series" ("municipality");
CREATE INDEX series_resource ON "series" ("resource");
CREATE INDEX series_party ON "series" ("party");
CREATE TABLE staff_block (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "category" VARCHAR(12) NOT NULL,
  "title" VARCHAR(120) NOT NULL,
  "reason" TEXT NOT NULL DEFAULT '',
  "rrule" TEXT,
  "created_by" UUID,
  "created_at" TIMESTAMPTZ NOT NULL,
  "lifted_at" TIMESTAMPTZ
);
CREATE INDEX staff_block_municipality ON "staff_block" ("municipality");
ALTER TABLE "staff_block" ADD CONSTRAINT staff_block_category CHECK (category IN ('closure', 'maintenance', 'out_of_order', 'event', 'own_use'));
CREATE TABLE team (
  "id" UUID PRIMARY KEY NOT NULL,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "name" VARCHAR(80) NOT NULL,
  "retired_on" DATE
);
CREATE INDEX team_party ON "team" ("party");
ALTER TABLE "team" ADD CONSTRAINT team_once UNIQUE ("party", "name");
CREATE TABLE team_member (
  "id" UUID PRIMARY KEY NOT NULL,
  "team" UUID NOT NULL REFERENCES "team" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "account" UUID NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "leads" BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX team_member_team ON "team_member" ("team");
CREATE INDEX team_member_account ON "team_member" ("account");
ALTER TABLE "team_member" ADD CONSTRAINT team_member_once UNIQUE ("team", "account");

-- A resource's rules move to a rule set of its own; what follows from rules and hours is derived (places.refresh).
INSERT INTO rule_set (id, resource, valid_from, gap_min, step_min, min_min, max_min, notice_min, horizon_days, changed_at)
  SELECT gen_random_uuid(), id, DATE '2000-01-01', gap_min, greatest(step_min, 5), min_min, max_min, notice_min,
    least(horizon_days, 730), now() FROM resource;
ALTER TABLE resource DROP CONSTRAINT resource_lengths;
ALTER TABLE resource DROP CONSTRAINT resource_kind;
ALTER TABLE resource DROP COLUMN gap_min, DROP COLUMN step_min, DROP COLUMN min_min, DROP COLUMN max_min,
  DROP COLUMN notice_min, DROP COLUMN horizon_days;
ALTER TABLE resource
  ADD COLUMN "picks_unit" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "surface" VARCHAR(40),
  ADD COLUMN "features" VARCHAR(40)[] NOT NULL DEFAULT '{}',
  ADD COLUMN "description" TEXT NOT NULL DEFAULT '',
  ADD COLUMN "instructions" TEXT NOT NULL DEFAULT '',
  ADD COLUMN "accessibility" TEXT NOT NULL DEFAULT '',
  ADD COLUMN "calendar" UUID;
UPDATE resource SET calendar = facility;
ALTER TABLE resource ALTER COLUMN calendar SET NOT NULL;
ALTER TABLE resource ADD CONSTRAINT resource_kind CHECK (kind IN ('hall', 'hall_part', 'ice', 'pitch', 'premises', 'vehicle', 'pool', 'court', 'lane', 'bike', 'equipment'));

ALTER TABLE opening_hours ADD COLUMN "schedule" UUID REFERENCES "opening_schedule" ("id") ON DELETE CASCADE ON UPDATE CASCADE;
INSERT INTO opening_schedule (id, facility, name, valid_from)
  SELECT gen_random_uuid(), facility, 'Ordinarie', DATE '2000-01-01' FROM opening_hours GROUP BY facility;
UPDATE opening_hours h SET schedule = s.id FROM opening_schedule s WHERE s.facility = h.facility;
ALTER TABLE opening_hours DROP COLUMN facility, ALTER COLUMN schedule SET NOT NULL;
ALTER TABLE opening_hours DROP CONSTRAINT opening_hours_order;
ALTER TABLE opening_hours ADD CONSTRAINT opening_hours_order CHECK (weekday BETWEEN 0 AND 7 AND opens_min >= 0 AND closes_min > opens_min);
ALTER TABLE opening_hours ADD CONSTRAINT opening_hours_once UNIQUE ("schedule", "weekday", "opens_min");
CREATE INDEX opening_hours_schedule ON "opening_hours" ("schedule");

ALTER TABLE reservation
  ADD COLUMN "kind" VARCHAR(8) NOT NULL DEFAULT 'booking',
  ADD COLUMN "wished" UUID,
  ADD COLUMN "series" UUID REFERENCES "series" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  ADD COLUMN "series_start" TIMESTAMPTZ,
  ADD COLUMN "block" UUID REFERENCES "staff_block" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  ADD COLUMN "team" UUID REFERENCES "team" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  ADD COLUMN "terms" VARCHAR(20),
  ADD COLUMN "answer_by" TIMESTAMPTZ,
  ADD COLUMN "decided_at" TIMESTAMPTZ,
  ADD COLUMN "decided_by" UUID,
  ADD COLUMN "decision" TEXT,
  ADD COLUMN "used" VARCHAR(8);
CREATE INDEX reservation_series ON "reservation" ("series");
CREATE INDEX reservation_block ON "reservation" ("block");
CREATE INDEX reservation_team ON "reservation" ("team");
ALTER TABLE reservation DROP CONSTRAINT reservation_state;
ALTER TABLE reservation DROP CONSTRAINT reservation_party;
ALTER TABLE reservation ADD CONSTRAINT reservation_state CHECK (state IN ('held', 'requested', 'awaiting_payment', 'confirmed', 'cancelled', 'completed', 'expired', 'rejected'));
ALTER TABLE reservation ADD CONSTRAINT reservation_kind CHECK (kind = 'booking' AND block IS NULL OR kind = 'block' AND block IS NOT NULL AND party IS NULL);
ALTER TABLE reservation ADD CONSTRAINT reservation_party CHECK (party IS NOT NULL OR kind = 'block' OR state IN ('held', 'expired'));
ALTER TABLE reservation ADD CONSTRAINT reservation_used CHECK (used IN ('used', 'no_show'));

CREATE TABLE reservation_extra (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "reservation" UUID NOT NULL REFERENCES "reservation" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "wished" UUID,
  "role" VARCHAR(9) NOT NULL
);
CREATE INDEX reservation_extra_reservation ON "reservation_extra" ("reservation");
CREATE INDEX reservation_extra_resource ON "reservation_extra" ("resource");
ALTER TABLE "reservation_extra" ADD CONSTRAINT reservation_extra_once UNIQUE ("reservation", "resource");
ALTER TABLE "reservation_extra" ADD CONSTRAINT reservation_extra_role CHECK (role IN ('together', 'equipment'));
CREATE TABLE request_message (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "reservation" UUID NOT NULL REFERENCES "reservation" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "account" UUID,
  "by_staff" BOOLEAN NOT NULL,
  "text" TEXT NOT NULL DEFAULT '',
  "proposal" TEXT,
  "answered" VARCHAR(8),
  "created_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX request_message_reservation ON "request_message" ("reservation");
ALTER TABLE "request_message" ADD CONSTRAINT request_message_answer CHECK (answered IN ('accepted', 'declined'));
CREATE TABLE team_time (
  "id" UUID PRIMARY KEY NOT NULL,
  "reservation" UUID NOT NULL REFERENCES "reservation" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "team" UUID NOT NULL REFERENCES "team" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "starts_at" TIMESTAMPTZ NOT NULL,
  "ends_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX team_time_team ON "team_time" ("team");
ALTER TABLE "team_time" ADD CONSTRAINT team_time_order CHECK (ends_at > starts_at);
ALTER TABLE "team_time" ADD CONSTRAINT team_time_one_at_a_time EXCLUDE USING gist (reservation WITH =, tstzrange(starts_at, ends_at) WITH &&);
CREATE TABLE displacement (
  "id" UUID PRIMARY KEY NOT NULL,
  "reservation" UUID NOT NULL REFERENCES "reservation" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "block" UUID REFERENCES "staff_block" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "by_reservation" UUID,
  "outcome" VARCHAR(9) NOT NULL,
  "reason" TEXT NOT NULL,
  "decided_by" UUID,
  "at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX displacement_reservation ON "displacement" ("reservation");
CREATE INDEX displacement_block ON "displacement" ("block");
ALTER TABLE "displacement" ADD CONSTRAINT displacement_outcome CHECK (outcome IN ('moved', 'cancelled'));
CREATE TABLE waiting (
  "id" UUID PRIMARY KEY NOT NULL,
  "kind" VARCHAR(7) NOT NULL,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "account" UUID NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "facility" UUID REFERENCES "facility" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource" UUID REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource_kind" VARCHAR(12),
  "from_at" TIMESTAMPTZ NOT NULL,
  "to_at" TIMESTAMPTZ NOT NULL,
  "minutes" INTEGER NOT NULL,
  "purpose" VARCHAR(12) NOT NULL,
  "state" VARCHAR(9) NOT NULL DEFAULT 'waiting',
  "offer" UUID,
  "offer_until" TIMESTAMPTZ,
  "created_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX waiting_party ON "waiting" ("party");
CREATE INDEX waiting_account ON "waiting" ("account");
CREATE INDEX waiting_municipality ON "waiting" ("municipality");
CREATE INDEX waiting_facility ON "waiting" ("facility");
CREATE INDEX waiting_resource ON "waiting" ("resource");
ALTER TABLE "waiting" ADD CONSTRAINT waiting_kind CHECK (kind IN ('queue', 'watch'));
ALTER TABLE "waiting" ADD CONSTRAINT waiting_state CHECK (state IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn'));
ALTER TABLE "waiting" ADD CONSTRAINT waiting_order CHECK (to_at > from_at AND minutes > 0);
CREATE TABLE driver (
  "id" UUID PRIMARY KEY NOT NULL,
  "account" UUID NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "classes" VARCHAR(20) NOT NULL DEFAULT 'B',
  "valid_to" DATE NOT NULL,
  "checked_by" UUID,
  "checked_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX driver_account ON "driver" ("account");
CREATE INDEX driver_municipality ON "driver" ("municipality");
ALTER TABLE "driver" ADD CONSTRAINT driver_once UNIQUE ("account", "municipality");
CREATE TABLE trip (
  "reservation" UUID PRIMARY KEY NOT NULL REFERENCES "reservation" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "out_at" TIMESTAMPTZ,
  "out_km" INTEGER,
  "out_pct" SMALLINT,
  "in_at" TIMESTAMPTZ,
  "in_km" INTEGER,
  "in_pct" SMALLINT,
  "late_told_at" TIMESTAMPTZ
);
ALTER TABLE "trip" ADD CONSTRAINT trip_order CHECK (in_at >= out_at AND in_km >= out_km);
ALTER TABLE "trip" ADD CONSTRAINT trip_pct CHECK (out_pct BETWEEN 0 AND 100 AND in_pct BETWEEN 0 AND 100);
CREATE TABLE damage_note (
  "id" UUID PRIMARY KEY NOT NULL,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "reservation" UUID REFERENCES "reservation" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "account" UUID,
  "text" TEXT NOT NULL,
  "photo" BYTEA,
  "photo_type" VARCHAR(20),
  "created_at" TIMESTAMPTZ NOT NULL,
  "mended_at" TIMESTAMPTZ
);
CREATE INDEX damage_note_resource ON "damage_note" ("resource");
CREATE INDEX damage_note_reservation ON "damage_note" ("reservation");
ALTER TABLE "damage_note" ADD CONSTRAINT damage_note_photo CHECK (octet_length(photo) <= 4000000);

-- What Piccolo's tables can't say.
CREATE UNIQUE INDEX reservation_in_series ON reservation (series, series_start) WHERE series IS NOT NULL AND state NOT IN ('cancelled', 'expired', 'rejected');
CREATE INDEX reservation_requests ON reservation (municipality, answer_by) WHERE state = 'requested';
CREATE INDEX waiting_open ON waiting (municipality, from_at, to_at) WHERE state IN ('waiting', 'offered');
CREATE INDEX trip_out ON trip (out_at) WHERE out_at IS NOT NULL AND in_at IS NULL;
