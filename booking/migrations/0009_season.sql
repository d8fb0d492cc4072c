-- 0009: season rounds: applications, wishes, allocations that no leaf has twice. Never edited after release.
CREATE TABLE season_round (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "name" VARCHAR(120) NOT NULL,
  "starts_on" DATE NOT NULL,
  "ends_on" DATE NOT NULL,
  "applies_from" TIMESTAMPTZ NOT NULL,
  "applies_to" TIMESTAMPTZ NOT NULL,
  "drop_in_from" DATE,
  "rules" TEXT NOT NULL,
  "state" VARCHAR(6) NOT NULL DEFAULT 'draft',
  "version" INTEGER NOT NULL DEFAULT 1,
  "proposal" TEXT,
  "created_by" UUID,
  "created_at" TIMESTAMPTZ NOT NULL,
  "decided_at" TIMESTAMPTZ
);
CREATE INDEX season_round_municipality ON "season_round" ("municipality");
ALTER TABLE "season_round" ADD CONSTRAINT season_round_state CHECK (state IN ('draft', 'open', 'closed', 'final'));
ALTER TABLE "season_round" ADD CONSTRAINT season_round_days CHECK (ends_on >= starts_on AND ends_on <= starts_on + 400);
ALTER TABLE "season_round" ADD CONSTRAINT season_round_applies CHECK (applies_to > applies_from);
ALTER TABLE "season_round" ADD CONSTRAINT season_round_final CHECK ((state = 'final') = (decided_at IS NOT NULL));
CREATE TABLE season_resource (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "round" UUID NOT NULL REFERENCES "season_round" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX season_resource_round ON "season_resource" ("round");
CREATE INDEX season_resource_resource ON "season_resource" ("resource");
ALTER TABLE "season_resource" ADD CONSTRAINT season_resource_once UNIQUE ("round", "resource");
CREATE TABLE season_application (
  "id" UUID PRIMARY KEY NOT NULL,
  "round" UUID NOT NULL REFERENCES "season_round" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "account" UUID,
  "state" VARCHAR(9) NOT NULL DEFAULT 'draft',
  "note" TEXT NOT NULL DEFAULT '',
  "changed_at" TIMESTAMPTZ NOT NULL,
  "sent_at" TIMESTAMPTZ
);
CREATE INDEX season_application_round ON "season_application" ("round");
CREATE INDEX season_application_party ON "season_application" ("party");
ALTER TABLE "season_application" ADD CONSTRAINT season_application_once UNIQUE ("round", "party");
ALTER TABLE "season_application" ADD CONSTRAINT season_application_state CHECK (state IN ('draft', 'sent', 'withdrawn'));
ALTER TABLE "season_application" ADD CONSTRAINT season_application_sent CHECK (state <> 'sent' OR sent_at IS NOT NULL);
CREATE TABLE season_wish (
  "id" UUID PRIMARY KEY NOT NULL,
  "application" UUID NOT NULL REFERENCES "season_application" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "position" SMALLINT NOT NULL DEFAULT 0,
  "title" VARCHAR(120) NOT NULL,
  "activity" VARCHAR(16) NOT NULL,
  "age_from" SMALLINT NOT NULL,
  "age_to" SMALLINT NOT NULL,
  "people" SMALLINT NOT NULL,
  "whole_season" BOOLEAN NOT NULL DEFAULT true,
  "times" SMALLINT NOT NULL,
  "minutes" SMALLINT NOT NULL,
  "windows" TEXT NOT NULL,
  "outcome" TEXT
);
CREATE INDEX season_wish_application ON "season_wish" ("application");
ALTER TABLE "season_wish" ADD CONSTRAINT season_wish_numbers CHECK (times BETWEEN 1 AND 7 AND minutes BETWEEN 15 AND 720 AND minutes % 15 = 0 AND people BETWEEN 1 AND 2000);
ALTER TABLE "season_wish" ADD CONSTRAINT season_wish_ages CHECK (0 <= age_from AND age_from <= age_to AND age_to <= 120);
ALTER TABLE "season_wish" ADD CONSTRAINT season_wish_activity CHECK (activity IN ('indoor_sport', 'outdoor_sport', 'summer_sport', 'exercise', 'culture', 'school', 'other'));
CREATE TABLE season_wish_resource (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "wish" UUID NOT NULL REFERENCES "season_wish" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "position" SMALLINT NOT NULL DEFAULT 0
);
CREATE INDEX season_wish_resource_wish ON "season_wish_resource" ("wish");
CREATE INDEX season_wish_resource_resource ON "season_wish_resource" ("resource");
ALTER TABLE "season_wish_resource" ADD CONSTRAINT season_wish_resource_once UNIQUE ("wish", "resource");
CREATE TABLE season_allocation (
  "id" UUID PRIMARY KEY NOT NULL,
  "round" UUID NOT NULL REFERENCES "season_round" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "wish" UUID NOT NULL REFERENCES "season_wish" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource" UUID NOT NULL REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "weekday" SMALLINT NOT NULL,
  "opens" SMALLINT NOT NULL,
  "closes" SMALLINT NOT NULL,
  "state" VARCHAR(8) NOT NULL DEFAULT 'proposed',
  "by_hand" BOOLEAN NOT NULL DEFAULT false,
  "reason" TEXT NOT NULL DEFAULT '',
  "decided_by" UUID,
  "changed_at" TIMESTAMPTZ NOT NULL,
  "series" UUID REFERENCES "series" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "skipped" TEXT NOT NULL DEFAULT '[]',
  "problem" VARCHAR(40)
);
CREATE INDEX season_allocation_round ON "season_allocation" ("round");
CREATE INDEX season_allocation_resource ON "season_allocation" ("resource");
CREATE INDEX season_allocation_series ON "season_allocation" ("series");
ALTER TABLE "season_allocation" ADD CONSTRAINT season_allocation_a_day UNIQUE ("wish", "weekday");
ALTER TABLE "season_allocation" ADD CONSTRAINT season_allocation_state CHECK (state IN ('proposed', 'locked', 'final'));
ALTER TABLE "season_allocation" ADD CONSTRAINT season_allocation_final CHECK ((state = 'final') = (series IS NOT NULL));
ALTER TABLE "season_allocation" ADD CONSTRAINT season_allocation_time CHECK (weekday BETWEEN 0 AND 6 AND 0 <= opens AND opens < closes AND closes <= 1440 AND opens % 15 = 0);
CREATE TABLE season_cell (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "allocation" UUID NOT NULL REFERENCES "season_allocation" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "round" UUID NOT NULL REFERENCES "season_round" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "leaf" INTEGER NOT NULL REFERENCES "leaf" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "weekday" SMALLINT NOT NULL,
  "opens" SMALLINT NOT NULL,
  "until" SMALLINT NOT NULL
);
CREATE INDEX season_cell_allocation ON "season_cell" ("allocation");
CREATE INDEX season_cell_leaf ON "season_cell" ("leaf");
ALTER TABLE "season_cell" ADD CONSTRAINT season_cell_order CHECK (until > opens);
ALTER TABLE "season_cell" ADD CONSTRAINT season_cell_one_at_a_time EXCLUDE USING gist (round WITH =, leaf WITH =, weekday WITH =, int4range(opens::int, until::int) WITH &&);
