-- 0001: people, places, the calendar, outbox, journal, idempotent answers.
-- Printed from the Piccolo tables, then ordered and completed by hand; a test
-- (tests/test_migrations.py) holds tables and migrations to each other. Never edited after release.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE party (
  "id" UUID PRIMARY KEY NOT NULL,
  "kind" VARCHAR(16) NOT NULL,
  "name" VARCHAR(120) NOT NULL,
  "org_number" VARCHAR(13),
  "home_municipality" VARCHAR(4),
  "email" VARCHAR(254),
  "address" TEXT,
  "may_be_invoiced" BOOLEAN NOT NULL DEFAULT false,
  "created_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX party_home_municipality ON "party" ("home_municipality");
ALTER TABLE "party" ADD CONSTRAINT party_kind CHECK (kind IN ('person', 'association', 'municipal_unit', 'company'));
CREATE TABLE login_tries (
  "key" VARCHAR(120) PRIMARY KEY NOT NULL,
  "failures" INTEGER NOT NULL DEFAULT 0,
  "since" TIMESTAMPTZ NOT NULL
);
CREATE TABLE municipality (
  "code" VARCHAR(4) PRIMARY KEY NOT NULL,
  "name" VARCHAR(80) NOT NULL,
  "lat" DOUBLE PRECISION NOT NULL,
  "lon" DOUBLE PRECISION NOT NULL,
  "contact_email" VARCHAR(120) NOT NULL,
  "contact_phone" VARCHAR(30) NOT NULL,
  "on_call_phone" VARCHAR(30) NOT NULL,
  "brand" VARCHAR(7)
);
CREATE TABLE outbox (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "kind" VARCHAR(40) NOT NULL,
  "key" VARCHAR(80) NOT NULL,
  "payload" TEXT NOT NULL DEFAULT '{}',
  "rev" BIGINT NOT NULL DEFAULT 1,
  "due_at" TIMESTAMPTZ NOT NULL,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "last_error" TEXT,
  "created_at" TIMESTAMPTZ NOT NULL
);
ALTER TABLE "outbox" ADD CONSTRAINT outbox_one_debt UNIQUE ("kind", "key");
CREATE TABLE journal (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "at" TIMESTAMPTZ NOT NULL,
  "action" VARCHAR(60) NOT NULL,
  "about" UUID,
  "account" UUID,
  "topics" VARCHAR(60)[] NOT NULL DEFAULT '{}',
  "data" TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX journal_about ON "journal" ("about");
CREATE TABLE idempotent_request (
  "key" VARCHAR(200) PRIMARY KEY NOT NULL,
  "fingerprint" BYTEA NOT NULL,
  "status" SMALLINT,
  "body" TEXT,
  "created_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX idempotent_request_created_at ON "idempotent_request" ("created_at");
CREATE TABLE account (
  "id" UUID PRIMARY KEY NOT NULL,
  "email" VARCHAR(254) UNIQUE NOT NULL,
  "password_hash" VARCHAR(200) NOT NULL,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "language" VARCHAR(2) NOT NULL DEFAULT 'sv',
  "created_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX account_party ON "account" ("party");
ALTER TABLE "account" ADD CONSTRAINT account_email_lower CHECK (email = lower(email));
CREATE TABLE neighbour (
  "id" UUID PRIMARY KEY NOT NULL,
  "of" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "to" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX neighbour_of ON "neighbour" ("of");
CREATE INDEX neighbour_to ON "neighbour" ("to");
ALTER TABLE "neighbour" ADD CONSTRAINT neighbour_once UNIQUE ("of", "to");
CREATE TABLE facility (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "slug" VARCHAR(80) UNIQUE NOT NULL,
  "name" VARCHAR(120) NOT NULL,
  "address" VARCHAR(200) NOT NULL,
  "lat" DOUBLE PRECISION NOT NULL,
  "lon" DOUBLE PRECISION NOT NULL,
  "description" TEXT NOT NULL DEFAULT '',
  "access_text" TEXT NOT NULL DEFAULT '',
  "accessibility" TEXT NOT NULL DEFAULT '',
  "on_call_phone" VARCHAR(30)
);
CREATE INDEX facility_municipality ON "facility" ("municipality");
CREATE TABLE membership (
  "id" UUID PRIMARY KEY NOT NULL,
  "account" UUID NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "valid_from" DATE NOT NULL,
  "valid_to" DATE
);
CREATE INDEX membership_account ON "membership" ("account");
CREATE INDEX membership_party ON "membership" ("party");
ALTER TABLE "membership" ADD CONSTRAINT membership_once UNIQUE ("account", "party");
CREATE TABLE role (
  "id" UUID PRIMARY KEY NOT NULL,
  "account" UUID NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "role" VARCHAR(16) NOT NULL
);
CREATE INDEX role_account ON "role" ("account");
CREATE INDEX role_municipality ON "role" ("municipality");
ALTER TABLE "role" ADD CONSTRAINT role_once UNIQUE ("account", "municipality", "role");
ALTER TABLE "role" ADD CONSTRAINT role_known CHECK (role IN ('resident', 'booker', 'facility_staff', 'finance', 'admin'));
CREATE TABLE session (
  "id" UUID PRIMARY KEY NOT NULL,
  "token_hash" BYTEA UNIQUE NOT NULL,
  "account" UUID REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "created_at" TIMESTAMPTZ NOT NULL,
  "expires_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX session_account ON "session" ("account");
CREATE INDEX session_expires_at ON "session" ("expires_at");
CREATE TABLE leaf (
  "id" SERIAL PRIMARY KEY NOT NULL,
  "facility" UUID NOT NULL REFERENCES "facility" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX leaf_facility ON "leaf" ("facility");
CREATE TABLE opening_hours (
  "id" UUID PRIMARY KEY NOT NULL,
  "facility" UUID NOT NULL REFERENCES "facility" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "weekday" SMALLINT NOT NULL,
  "opens_min" SMALLINT NOT NULL,
  "closes_min" SMALLINT NOT NULL
);
CREATE INDEX opening_hours_facility ON "opening_hours" ("facility");
ALTER TABLE "opening_hours" ADD CONSTRAINT opening_hours_order CHECK (weekday BETWEEN 0 AND 6 AND opens_min >= 0 AND closes_min > opens_min);
ALTER TABLE "opening_hours" ADD CONSTRAINT opening_hours_day CHECK (closes_min <= 1440);
ALTER TABLE "opening_hours" ADD CONSTRAINT opening_hours_once UNIQUE ("facility", "weekday", "opens_min");
CREATE TABLE resource (
  "id" UUID PRIMARY KEY NOT NULL,
  "facility" UUID NOT NULL REFERENCES "facility" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "parent" UUID REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "kind" VARCHAR(12) NOT NULL,
  "slug" VARCHAR(80) UNIQUE NOT NULL,
  "name" VARCHAR(120) NOT NULL,
  "tariff_class" VARCHAR(60) NOT NULL,
  "capacity" INTEGER,
  "area_m2" INTEGER,
  "gap_min" SMALLINT NOT NULL DEFAULT 0,
  "step_min" SMALLINT NOT NULL DEFAULT 30,
  "min_min" SMALLINT NOT NULL DEFAULT 60,
  "max_min" INTEGER NOT NULL DEFAULT 720,
  "notice_min" INTEGER NOT NULL DEFAULT 0,
  "horizon_days" SMALLINT NOT NULL DEFAULT 365,
  "is_bookable" BOOLEAN NOT NULL DEFAULT true
);
CREATE INDEX resource_facility ON "resource" ("facility");
CREATE INDEX resource_parent ON "resource" ("parent");
ALTER TABLE "resource" ADD CONSTRAINT resource_lengths CHECK (step_min > 0 AND min_min > 0 AND max_min >= min_min AND gap_min >= 0);
ALTER TABLE "resource" ADD CONSTRAINT resource_kind CHECK (kind IN ('hall', 'hall_part', 'ice', 'pitch', 'premises', 'vehicle', 'pool', 'court'));
CREATE TABLE resource_leaf (
  "id" SERIAL PRIMARY KEY NOT NULL,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "leaf" INTEGER NOT NULL REFERENCES "leaf" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX resource_leaf_resource ON "resource_leaf" ("resource");
CREATE INDEX resource_leaf_leaf ON "resource_leaf" ("leaf");
ALTER TABLE "resource_leaf" ADD CONSTRAINT resource_leaf_once UNIQUE ("resource", "leaf");
CREATE TABLE reservation (
  "id" UUID PRIMARY KEY NOT NULL,
  "number" SERIAL NOT NULL,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "municipality" VARCHAR(4) NOT NULL,
  "party" UUID REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "account" UUID,
  "session" UUID,
  "home" VARCHAR(4),
  "state" VARCHAR(16) NOT NULL,
  "starts_at" TIMESTAMPTZ NOT NULL,
  "ends_at" TIMESTAMPTZ NOT NULL,
  "hold_until" TIMESTAMPTZ,
  "extended" BOOLEAN NOT NULL DEFAULT false,
  "purpose" VARCHAR(12) NOT NULL,
  "title" VARCHAR(120),
  "method" VARCHAR(8),
  "price_ore" BIGINT NOT NULL,
  "price" TEXT NOT NULL,
  "version" INTEGER NOT NULL DEFAULT 1,
  "created_at" TIMESTAMPTZ NOT NULL,
  "confirmed_at" TIMESTAMPTZ,
  "cancelled_at" TIMESTAMPTZ,
  "cancelled_by" VARCHAR(12),
  "cancel_fee_ore" BIGINT,
  "refund_ore" BIGINT
);
CREATE INDEX reservation_resource ON "reservation" ("resource");
CREATE INDEX reservation_party ON "reservation" ("party");
CREATE INDEX reservation_session ON "reservation" ("session");
ALTER TABLE "reservation" ADD CONSTRAINT reservation_order CHECK (ends_at > starts_at);
ALTER TABLE "reservation" ADD CONSTRAINT reservation_state CHECK (state IN ('held', 'awaiting_payment', 'confirmed', 'cancelled', 'completed', 'expired'));
ALTER TABLE "reservation" ADD CONSTRAINT reservation_party CHECK (party IS NOT NULL OR state IN ('held', 'expired'));
ALTER TABLE "reservation" ADD CONSTRAINT reservation_hold CHECK (hold_until IS NOT NULL OR state NOT IN ('held', 'awaiting_payment'));
ALTER TABLE "reservation" ADD CONSTRAINT reservation_purpose CHECK (purpose IN ('training', 'match', 'meeting', 'event', 'private', 'other'));
CREATE TABLE occupancy (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "leaf" INTEGER NOT NULL REFERENCES "leaf" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "reservation" UUID NOT NULL REFERENCES "reservation" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "starts_at" TIMESTAMPTZ NOT NULL,
  "ends_at" TIMESTAMPTZ NOT NULL,
  "hold_until" TIMESTAMPTZ
);
CREATE INDEX occupancy_reservation ON "occupancy" ("reservation");
ALTER TABLE "occupancy" ADD CONSTRAINT occupancy_order CHECK (ends_at > starts_at);
ALTER TABLE "occupancy" ADD CONSTRAINT occupancy_one_at_a_time EXCLUDE USING gist (leaf WITH =, tstzrange(starts_at, ends_at) WITH &&);

-- What Piccolo's tables can't say.
CREATE INDEX occupancy_by_leaf ON occupancy (leaf, starts_at) INCLUDE (ends_at, hold_until);
CREATE INDEX reservation_due ON reservation (hold_until) WHERE state IN ('held', 'awaiting_payment');
CREATE INDEX reservation_timeline ON reservation (municipality, starts_at) WHERE state IN ('confirmed', 'awaiting_payment');
CREATE INDEX reservation_running ON reservation (ends_at) WHERE state = 'confirmed';
CREATE INDEX outbox_due ON outbox (due_at);
CREATE INDEX journal_topics ON journal USING gin (topics);
ALTER TABLE occupancy SET (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: its rows are final', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER journal_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
