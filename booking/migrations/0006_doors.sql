-- 0006: standing and shared codes, reserve codes, alarms, commands, facts; keys in stages, retirement.
ALTER TABLE controller ADD COLUMN "driver" VARCHAR(20) NOT NULL DEFAULT 'native';
ALTER TABLE controller ADD COLUMN "next_gen" INTEGER;
ALTER TABLE controller ADD COLUMN "next_key" BYTEA;
ALTER TABLE controller ADD COLUMN "old_gen" INTEGER;
ALTER TABLE controller ADD COLUMN "old_key" BYTEA;
ALTER TABLE controller ADD COLUMN "account_secret" BYTEA;
ALTER TABLE controller ADD COLUMN "quarantined_at" TIMESTAMPTZ;
ALTER TABLE controller ADD COLUMN "listing" TEXT;
ALTER TABLE controller ADD COLUMN "retired_at" TIMESTAMPTZ;

ALTER TABLE door ADD COLUMN "kind" VARCHAR(11) NOT NULL DEFAULT 'door';
ALTER TABLE door ADD COLUMN "hint" VARCHAR(500) NOT NULL DEFAULT '';
ALTER TABLE door ADD CONSTRAINT door_kind CHECK (kind IN ('door', 'compartment'));

CREATE TABLE access_policy (
  "municipality" VARCHAR(4) PRIMARY KEY NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "events_kept_days" INTEGER NOT NULL DEFAULT 90,
  "reserve_per_day" INTEGER NOT NULL DEFAULT 3,
  "alarm_lead_min" INTEGER NOT NULL DEFAULT 30
);
ALTER TABLE access_policy ADD CONSTRAINT access_policy_bounds CHECK (events_kept_days BETWEEN 7 AND 3650 AND reserve_per_day BETWEEN 0 AND 10 AND alarm_lead_min BETWEEN 5 AND 1440);

CREATE TABLE access_credential (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "kind" VARCHAR(8) NOT NULL,
  "means" VARCHAR(8) NOT NULL DEFAULT 'pin',
  "holder" UUID NOT NULL,
  "reservation" UUID,
  "label" VARCHAR(120) NOT NULL DEFAULT '',
  "pin" BYTEA,
  "pin_tag" BYTEA,
  "card" BYTEA,
  "doors" VARCHAR(60)[] NOT NULL DEFAULT '{}',
  "weekly" TEXT NOT NULL DEFAULT '[]',
  "valid_from" TIMESTAMPTZ NOT NULL,
  "valid_to" TIMESTAMPTZ,
  "rotates_on" VARCHAR(5),
  "overlap_days" INTEGER NOT NULL DEFAULT 14,
  "successor" UUID,
  "created_at" TIMESTAMPTZ NOT NULL,
  "revoked_at" TIMESTAMPTZ
);
CREATE INDEX access_credential_municipality ON "access_credential" ("municipality");
CREATE INDEX access_credential_holder ON "access_credential" ("holder");
CREATE INDEX access_credential_reservation ON "access_credential" ("reservation");
ALTER TABLE "access_credential" ADD CONSTRAINT access_credential_kind CHECK (kind IN ('series', 'standing', 'member', 'staff', 'clean'));
ALTER TABLE "access_credential" ADD CONSTRAINT access_credential_means CHECK (means IN ('pin', 'card', 'pin+card'));
ALTER TABLE "access_credential" ADD CONSTRAINT access_credential_order CHECK (valid_to IS NULL OR valid_to > valid_from);

-- A booking may have several credentials on one controller: its leader's, those it has shared, a reserve code.
ALTER TABLE access_grant DROP CONSTRAINT access_grant_once;
ALTER TABLE access_grant ALTER COLUMN "reservation" DROP NOT NULL;
ALTER TABLE access_grant ADD COLUMN "after" UUID;
ALTER TABLE access_grant ADD COLUMN "starts_at" TIMESTAMPTZ;
ALTER TABLE access_grant ADD COLUMN "ends_at" TIMESTAMPTZ;
ALTER TABLE access_grant ADD COLUMN "stale_nb" TIMESTAMPTZ;
ALTER TABLE access_grant ADD COLUMN "stale_na" TIMESTAMPTZ;
ALTER TABLE access_grant ADD COLUMN "gone_asked_at" TIMESTAMPTZ;
ALTER TABLE access_grant ADD COLUMN "handed_at" TIMESTAMPTZ;
UPDATE access_grant SET gone_asked_at = created_at WHERE gone_ver IS NOT NULL;

-- A row without a grant keeps a PIN for its credential: the old window of a moved booking, a season, a static code.
ALTER TABLE grant_window ALTER COLUMN "access_grant" DROP NOT NULL;
ALTER TABLE grant_window ALTER COLUMN "pin_tag" DROP NOT NULL;

CREATE TABLE door_alarm (
  "id" UUID PRIMARY KEY NOT NULL,
  "controller" VARCHAR(32) REFERENCES "controller" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "door" VARCHAR(60) REFERENCES "door" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "kind" VARCHAR(20) NOT NULL,
  "reservations" UUID[] NOT NULL DEFAULT '{}',
  "opened_at" TIMESTAMPTZ NOT NULL,
  "seen_at" TIMESTAMPTZ NOT NULL,
  "closed_at" TIMESTAMPTZ,
  "acknowledged_at" TIMESTAMPTZ,
  "acknowledged_by" UUID,
  "note" VARCHAR(500)
);
CREATE INDEX door_alarm_controller ON "door_alarm" ("controller");
CREATE INDEX door_alarm_door ON "door_alarm" ("door");

CREATE TABLE door_command (
  "id" UUID PRIMARY KEY NOT NULL,
  "controller" VARCHAR(32) NOT NULL REFERENCES "controller" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "door" VARCHAR(60) REFERENCES "door" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "op" VARCHAR(10) NOT NULL,
  "reason" VARCHAR(500) NOT NULL,
  "until" TIMESTAMPTZ,
  "asked_by" UUID,
  "asked_at" TIMESTAMPTZ NOT NULL,
  "confirmed_by" UUID,
  "confirmed_at" TIMESTAMPTZ,
  "n" BIGINT,
  "expires_at" TIMESTAMPTZ,
  "sent_at" TIMESTAMPTZ,
  "answered_at" TIMESTAMPTZ,
  "ok" BOOLEAN,
  "why" VARCHAR(32)
);
CREATE INDEX door_command_controller ON "door_command" ("controller");
CREATE INDEX door_command_door ON "door_command" ("door");

CREATE TABLE door_fact (
  "reservation" UUID PRIMARY KEY NOT NULL,
  "first_entry_at" TIMESTAMPTZ,
  "last_use_at" TIMESTAMPTZ,
  "never_used" BOOLEAN,
  "overtime_s" INTEGER NOT NULL DEFAULT 0,
  "held_s" INTEGER NOT NULL DEFAULT 0,
  "forced" INTEGER NOT NULL DEFAULT 0,
  "is_final" BOOLEAN NOT NULL DEFAULT false,
  "settled_at" TIMESTAMPTZ NOT NULL
);

ALTER TABLE door_event ADD COLUMN "dur_s" INTEGER;

-- What Piccolo's tables can't say.
CREATE UNIQUE INDEX access_grant_once ON access_grant (reservation, controller, credential, "after") NULLS NOT DISTINCT WHERE gone_ver IS NULL AND role <> 'reserve';
CREATE INDEX access_grant_credential ON access_grant (credential);
CREATE INDEX access_grant_ended ON access_grant (na) WHERE reservation IS NOT NULL;
CREATE INDEX grant_window_claims ON grant_window (kept_until) WHERE access_grant IS NULL;
CREATE UNIQUE INDEX door_alarm_one_open ON door_alarm (controller, door, kind) NULLS NOT DISTINCT WHERE closed_at IS NULL;
CREATE INDEX door_command_open ON door_command (confirmed_at) WHERE answered_at IS NULL;
CREATE INDEX door_event_by_grant ON door_event (access_grant) WHERE access_grant IS NOT NULL;
CREATE INDEX door_event_by_time ON door_event (received_at);
CREATE INDEX door_event_position ON door_event (door, id DESC) WHERE kind IN ('held', 'opened', 'closed');
CREATE INDEX door_event_entry ON door_event (door, id DESC) WHERE kind IN ('forced', 'closed', 'granted');
