-- 0010: a door that a controller no longer has. Its log, orders and alarms stay. Never edited after release.
ALTER TABLE door ADD COLUMN "removed_at" TIMESTAMPTZ;
