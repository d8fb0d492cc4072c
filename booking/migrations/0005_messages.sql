-- 0005: calendar feeds, messages to people, webhooks to other systems.
CREATE TABLE feed (
  "id" UUID PRIMARY KEY NOT NULL,
  "account" UUID NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "kind" VARCHAR(8) NOT NULL,
  "party" UUID REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "resource" UUID REFERENCES "resource" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "generation" INTEGER NOT NULL DEFAULT 1,
  "created_at" TIMESTAMPTZ NOT NULL,
  "revoked_at" TIMESTAMPTZ,
  "read_at" TIMESTAMPTZ
);
CREATE INDEX feed_account ON "feed" ("account");
CREATE INDEX feed_party ON "feed" ("party");
CREATE INDEX feed_resource ON "feed" ("resource");
ALTER TABLE "feed" ADD CONSTRAINT feed_subject CHECK (kind IN ('account', 'party', 'resource') AND (kind = 'party') = (party IS NOT NULL) AND (kind = 'resource') = (resource IS NOT NULL));
CREATE TABLE message (
  "id" UUID PRIMARY KEY NOT NULL,
  "template" VARCHAR(32) NOT NULL,
  "channel" VARCHAR(5) NOT NULL,
  "municipality" VARCHAR(4) REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "account" UUID REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "party" UUID REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "about" UUID,
  "data" TEXT NOT NULL DEFAULT '{}',
  "dedupe" VARCHAR(200) UNIQUE,
  "state" VARCHAR(8) NOT NULL,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "error" VARCHAR(300),
  "provider_id" VARCHAR(120),
  "created_at" TIMESTAMPTZ NOT NULL,
  "tried_at" TIMESTAMPTZ,
  "done_at" TIMESTAMPTZ
);
CREATE INDEX message_municipality ON "message" ("municipality");
CREATE INDEX message_account ON "message" ("account");
CREATE INDEX message_party ON "message" ("party");
CREATE INDEX message_about ON "message" ("about");
ALTER TABLE "message" ADD CONSTRAINT message_channel CHECK (channel IN ('email', 'sms'));
ALTER TABLE "message" ADD CONSTRAINT message_receiver CHECK (account IS NOT NULL OR party IS NOT NULL);
ALTER TABLE "message" ADD CONSTRAINT message_state CHECK (state IN ('owed', 'sending', 'sent', 'dropped', 'dead'));
CREATE TABLE message_choice (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "account" UUID NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "template" VARCHAR(32) NOT NULL,
  "channel" VARCHAR(5) NOT NULL,
  "wanted" BOOLEAN NOT NULL
);
CREATE INDEX message_choice_account ON "message_choice" ("account");
ALTER TABLE "message_choice" ADD CONSTRAINT message_choice_once UNIQUE ("account", "template", "channel");
CREATE TABLE message_phone (
  "account" UUID PRIMARY KEY NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "phone" VARCHAR(16) NOT NULL,
  "asked_at" TIMESTAMPTZ NOT NULL,
  "confirmed_at" TIMESTAMPTZ,
  "tries" INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE webhook_endpoint (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "url" VARCHAR(500) NOT NULL,
  "description" VARCHAR(120) NOT NULL DEFAULT '',
  "events" VARCHAR(60)[] NOT NULL,
  "state" VARCHAR(8) NOT NULL DEFAULT 'on',
  "generation" INTEGER NOT NULL DEFAULT 1,
  "old_until" TIMESTAMPTZ,
  "created_at" TIMESTAMPTZ NOT NULL,
  "failing_since" TIMESTAMPTZ,
  "quiet_until" TIMESTAMPTZ,
  "failed_why" VARCHAR(200)
);
CREATE INDEX webhook_endpoint_municipality ON "webhook_endpoint" ("municipality");
ALTER TABLE "webhook_endpoint" ADD CONSTRAINT webhook_endpoint_state CHECK (state IN ('on', 'off', 'failed'));
CREATE TABLE webhook_delivery (
  "id" UUID PRIMARY KEY NOT NULL,
  "endpoint" UUID NOT NULL REFERENCES "webhook_endpoint" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "event" VARCHAR(60) NOT NULL,
  "journal" BIGINT,
  "body" TEXT NOT NULL,
  "state" VARCHAR(8) NOT NULL DEFAULT 'owed',
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "status" INTEGER,
  "error" VARCHAR(300),
  "created_at" TIMESTAMPTZ NOT NULL,
  "tried_at" TIMESTAMPTZ,
  "done_at" TIMESTAMPTZ
);
CREATE INDEX webhook_delivery_endpoint ON "webhook_delivery" ("endpoint");
ALTER TABLE "webhook_delivery" ADD CONSTRAINT webhook_delivery_once UNIQUE ("endpoint", "journal");
ALTER TABLE "webhook_delivery" ADD CONSTRAINT webhook_delivery_state CHECK (state IN ('owed', 'done', 'dead'));

-- What Piccolo's tables can't say.
CREATE INDEX message_shown ON message (municipality, created_at DESC);
CREATE INDEX webhook_delivery_shown ON webhook_delivery (endpoint, created_at DESC);
CREATE INDEX webhook_endpoint_on ON webhook_endpoint (municipality) WHERE state = 'on';

-- Whatever the journal learns, the worker owes to those who subscribed: in the same transaction, whoever wrote it.
CREATE FUNCTION journal_owes_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF split_part(NEW.action, '.', 1) IN ('reservation', 'series', 'payment', 'invoice', 'credit_note', 'access', 'door', 'alarm', 'controller')
     AND EXISTS (SELECT FROM webhook_endpoint WHERE state = 'on') THEN
    INSERT INTO outbox (kind, key, payload, rev, due_at, attempts, created_at)
    VALUES ('webhook.fan', NEW.id::text, '{}', 1, NEW.at, 0, NEW.at);
    PERFORM pg_notify('outbox', 'webhook.fan');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER journal_owes_webhooks AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION journal_owes_webhooks();
