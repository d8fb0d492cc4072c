-- 0003: controllers, doors, access rules, grants, what controllers said.
CREATE TABLE controller (
  "id" VARCHAR(32) PRIMARY KEY NOT NULL,
  "facility" UUID NOT NULL REFERENCES "facility" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "simulated" BOOLEAN NOT NULL DEFAULT false,
  "gen" INTEGER NOT NULL DEFAULT 1,
  "master_key" BYTEA NOT NULL,
  "enrolled_at" TIMESTAMPTZ NOT NULL,
  "epoch" BIGINT NOT NULL DEFAULT 1,
  "want_ver" BIGINT NOT NULL DEFAULT 1,
  "logged_epoch" BIGINT NOT NULL DEFAULT 0,
  "logged_ver" BIGINT NOT NULL DEFAULT 0,
  "broker_epoch" BIGINT NOT NULL DEFAULT 0,
  "broker_ver" BIGINT NOT NULL DEFAULT 0,
  "broker_reason" INTEGER,
  "rep_epoch" BIGINT NOT NULL DEFAULT 0,
  "rep_ver" BIGINT NOT NULL DEFAULT 0,
  "rep_boot" BIGINT NOT NULL DEFAULT 0,
  "rep_rs" BIGINT NOT NULL DEFAULT 0,
  "rep_at" TIMESTAMPTZ,
  "report" TEXT,
  "sid" VARCHAR(22),
  "last_seen" TIMESTAMPTZ,
  "offline_at" TIMESTAMPTZ,
  "clock" VARCHAR(9) NOT NULL DEFAULT 'ok',
  "quarantine" BOOLEAN NOT NULL DEFAULT false,
  "ev_boot" BIGINT NOT NULL DEFAULT 0,
  "ev_seq" BIGINT NOT NULL DEFAULT 0,
  "last_n" BIGINT NOT NULL DEFAULT 0,
  "retry_s" INTEGER NOT NULL DEFAULT 5,
  "retry_at" TIMESTAMPTZ
);
CREATE INDEX controller_facility ON "controller" ("facility");
ALTER TABLE "controller" ADD CONSTRAINT controller_clock CHECK (clock IN ('ok', 'drift', 'untrusted'));
ALTER TABLE "controller" ADD CONSTRAINT controller_name CHECK (id ~ '^[a-z0-9][a-z0-9-]{1,31}$');
CREATE TABLE door (
  "id" VARCHAR(60) PRIMARY KEY NOT NULL,
  "controller" VARCHAR(32) NOT NULL REFERENCES "controller" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "wire_id" VARCHAR(16) NOT NULL,
  "name" VARCHAR(120) NOT NULL,
  "unlock_s" INTEGER NOT NULL DEFAULT 5,
  "held_s" INTEGER NOT NULL DEFAULT 300,
  "mode" VARCHAR(8) NOT NULL DEFAULT 'normal',
  "mode_n" BIGINT NOT NULL DEFAULT 0,
  "mode_until" TIMESTAMPTZ
);
CREATE INDEX door_controller ON "door" ("controller");
ALTER TABLE "door" ADD CONSTRAINT door_once UNIQUE ("controller", "wire_id");
ALTER TABLE "door" ADD CONSTRAINT door_mode CHECK (mode IN ('normal', 'lockdown', 'unlocked') AND (mode <> 'unlocked' OR mode_until IS NOT NULL));
ALTER TABLE "door" ADD CONSTRAINT door_seconds CHECK (unlock_s BETWEEN 1 AND 60 AND held_s BETWEEN 10 AND 1800);
CREATE TABLE access_rule (
  "id" UUID PRIMARY KEY NOT NULL,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "door" VARCHAR(60) NOT NULL REFERENCES "door" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "before_s" INTEGER NOT NULL DEFAULT 900,
  "after_s" INTEGER NOT NULL DEFAULT 900,
  "purpose" VARCHAR(12)
);
CREATE INDEX access_rule_resource ON "access_rule" ("resource");
CREATE INDEX access_rule_door ON "access_rule" ("door");
ALTER TABLE "access_rule" ADD CONSTRAINT access_rule_once UNIQUE NULLS NOT DISTINCT ("resource", "door", "purpose");
ALTER TABLE "access_rule" ADD CONSTRAINT access_rule_seconds CHECK (before_s BETWEEN 0 AND 86400 AND after_s BETWEEN 0 AND 86400);
CREATE TABLE access_grant (
  "id" UUID PRIMARY KEY NOT NULL,
  "controller" VARCHAR(32) NOT NULL REFERENCES "controller" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "reservation" UUID NOT NULL,
  "credential" UUID NOT NULL,
  "holder" UUID NOT NULL,
  "role" VARCHAR(9) NOT NULL DEFAULT 'leader',
  "pin" BYTEA,
  "nb" TIMESTAMPTZ NOT NULL,
  "na" TIMESTAMPTZ NOT NULL,
  "created_at" TIMESTAMPTZ NOT NULL,
  "first_epoch" BIGINT,
  "first_ver" BIGINT,
  "gone_epoch" BIGINT,
  "gone_ver" BIGINT,
  "in_log" BOOLEAN NOT NULL DEFAULT false,
  "applied_at" TIMESTAMPTZ,
  "used_at" TIMESTAMPTZ,
  "rejected" VARCHAR(32),
  "gone_at" TIMESTAMPTZ,
  "alarmed_at" TIMESTAMPTZ
);
CREATE INDEX access_grant_controller ON "access_grant" ("controller");
CREATE INDEX access_grant_reservation ON "access_grant" ("reservation");
ALTER TABLE "access_grant" ADD CONSTRAINT access_grant_order CHECK (na > nb);
ALTER TABLE "access_grant" ADD CONSTRAINT access_grant_once UNIQUE ("reservation", "controller");
CREATE TABLE grant_window (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "access_grant" UUID NOT NULL REFERENCES "access_grant" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "door" VARCHAR(60) NOT NULL REFERENCES "door" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "credential" UUID NOT NULL,
  "pin_tag" BYTEA NOT NULL,
  "nb" TIMESTAMPTZ NOT NULL,
  "na" TIMESTAMPTZ NOT NULL,
  "kept_until" TIMESTAMPTZ NOT NULL
);
CREATE INDEX grant_window_access_grant ON "grant_window" ("access_grant");
CREATE INDEX grant_window_door ON "grant_window" ("door");
ALTER TABLE "grant_window" ADD CONSTRAINT grant_window_order CHECK (na > nb AND kept_until > nb);
ALTER TABLE "grant_window" ADD CONSTRAINT one_holder_per_pin EXCLUDE USING gist (door WITH =, pin_tag WITH =, credential WITH <>, tstzrange(nb, kept_until) WITH &&);
CREATE TABLE snapshot_log (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "controller" VARCHAR(32) NOT NULL REFERENCES "controller" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "epoch" BIGINT NOT NULL,
  "ver" BIGINT NOT NULL,
  "digest" VARCHAR(64) NOT NULL,
  "octets" BYTEA,
  "horizon_end" TIMESTAMPTZ NOT NULL,
  "built_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX snapshot_log_controller ON "snapshot_log" ("controller");
ALTER TABLE "snapshot_log" ADD CONSTRAINT snapshot_log_once UNIQUE ("controller", "epoch", "ver");
CREATE TABLE door_event (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "controller" VARCHAR(32) NOT NULL REFERENCES "controller" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "gen" INTEGER NOT NULL,
  "boot" BIGINT NOT NULL,
  "seq" BIGINT NOT NULL,
  "at" TIMESTAMPTZ,
  "clock" VARCHAR(32) NOT NULL,
  "door" VARCHAR(60),
  "kind" VARCHAR(32) NOT NULL,
  "how" VARCHAR(32),
  "why" VARCHAR(32),
  "access_grant" UUID,
  "lost" INTEGER,
  "received_at" TIMESTAMPTZ NOT NULL
);
ALTER TABLE "door_event" ADD CONSTRAINT door_event_once UNIQUE ("controller", "gen", "boot", "seq");

-- What Piccolo's tables can't say.
CREATE INDEX access_grant_live ON access_grant (controller, nb) WHERE gone_at IS NULL;
CREATE INDEX door_event_by_door ON door_event (door, id DESC);
