-- 0002: prices, charges, payments, invoices, ledger.
-- Printed from the Piccolo tables, then completed by hand; never edited after release.
CREATE TABLE tariff_list (
  "id" VARCHAR(40) PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "valid_from" DATE NOT NULL,
  "decision" VARCHAR(200) NOT NULL,
  "source_url" TEXT NOT NULL,
  "sha256" VARCHAR(64) NOT NULL,
  "head" TEXT NOT NULL,
  "published_at" TIMESTAMPTZ NOT NULL,
  "published_by" UUID
);
CREATE INDEX tariff_list_municipality ON "tariff_list" ("municipality");
ALTER TABLE "tariff_list" ADD CONSTRAINT tariff_list_from UNIQUE ("municipality", "valid_from");
CREATE TABLE tariff_rule (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "list" VARCHAR(40) NOT NULL REFERENCES "tariff_list" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "position" INTEGER NOT NULL,
  "rule" VARCHAR(60) NOT NULL,
  "body" TEXT NOT NULL
);
CREATE INDEX tariff_rule_list ON "tariff_rule" ("list");
ALTER TABLE "tariff_rule" ADD CONSTRAINT tariff_rule_once UNIQUE ("list", "rule");
CREATE TABLE tariff_example (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "list" VARCHAR(40) NOT NULL REFERENCES "tariff_list" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "position" INTEGER NOT NULL,
  "example" VARCHAR(40) NOT NULL,
  "body" TEXT NOT NULL
);
CREATE INDEX tariff_example_list ON "tariff_example" ("list");
ALTER TABLE "tariff_example" ADD CONSTRAINT tariff_example_once UNIQUE ("list", "example");
CREATE TABLE customer_evidence (
  "id" UUID PRIMARY KEY NOT NULL,
  "municipality" VARCHAR(4) NOT NULL REFERENCES "municipality" ("code") ON DELETE RESTRICT ON UPDATE CASCADE,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "category" VARCHAR(40) NOT NULL,
  "value" INTEGER,
  "valid_from" DATE NOT NULL,
  "valid_to" DATE,
  "reason" TEXT NOT NULL DEFAULT '',
  "decided_by" UUID,
  "decided_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX customer_evidence_municipality ON "customer_evidence" ("municipality");
CREATE INDEX customer_evidence_party ON "customer_evidence" ("party");
ALTER TABLE "customer_evidence" ADD CONSTRAINT customer_evidence_order CHECK (valid_to IS NULL OR valid_to >= valid_from);
CREATE TABLE legal_entity (
  "id" VARCHAR(4) PRIMARY KEY NOT NULL,
  "name" VARCHAR(120) NOT NULL,
  "org_number" VARCHAR(11) NOT NULL,
  "vat_number" VARCHAR(14) NOT NULL,
  "bankgiro" VARCHAR(9) NOT NULL,
  "address" TEXT NOT NULL,
  "email" VARCHAR(120) NOT NULL,
  "payment_days" SMALLINT NOT NULL DEFAULT 30
);
CREATE TABLE number_series (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "kind" VARCHAR(12) NOT NULL,
  "year" SMALLINT NOT NULL,
  "next" INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX number_series_entity ON "number_series" ("entity");
ALTER TABLE "number_series" ADD CONSTRAINT number_series_once UNIQUE ("entity", "kind", "year");
CREATE TABLE charge (
  "id" UUID PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "source" UUID NOT NULL,
  "kind" VARCHAR(12) NOT NULL,
  "cause_key" VARCHAR(80) UNIQUE NOT NULL,
  "text" VARCHAR(200) NOT NULL,
  "net_ore" BIGINT NOT NULL,
  "vat_ore" BIGINT NOT NULL,
  "total_ore" BIGINT NOT NULL,
  "vat_rule" VARCHAR(16) NOT NULL,
  "quote" TEXT NOT NULL,
  "service_at" TIMESTAMPTZ NOT NULL,
  "state" VARCHAR(12) NOT NULL,
  "payment" UUID,
  "invoice" UUID,
  "created_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX charge_entity ON "charge" ("entity");
CREATE INDEX charge_party ON "charge" ("party");
CREATE INDEX charge_source ON "charge" ("source");
CREATE INDEX charge_invoice ON "charge" ("invoice");
ALTER TABLE "charge" ADD CONSTRAINT charge_kind CHECK (kind IN ('usage', 'cancel_fee', 'no_show', 'penalty'));
ALTER TABLE "charge" ADD CONSTRAINT charge_state CHECK (state IN ('open', 'free', 'invoiced', 'paid_direct', 'credited', 'waived'));
ALTER TABLE "charge" ADD CONSTRAINT charge_sum CHECK (total_ore = net_ore + vat_ore AND total_ore >= 0);
ALTER TABLE "charge" ADD CONSTRAINT charge_linked CHECK (state <> 'invoiced' OR invoice IS NOT NULL);
CREATE TABLE payment (
  "id" UUID PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "source" UUID NOT NULL,
  "amount_ore" BIGINT NOT NULL,
  "refunded_ore" BIGINT NOT NULL DEFAULT 0,
  "text" VARCHAR(200) NOT NULL,
  "return_url" TEXT NOT NULL,
  "state" VARCHAR(10) NOT NULL,
  "session_id" VARCHAR(120),
  "url" TEXT,
  "intent" VARCHAR(80),
  "created_at" TIMESTAMPTZ NOT NULL,
  "paid_at" TIMESTAMPTZ,
  "looked_at" TIMESTAMPTZ
);
CREATE INDEX payment_entity ON "payment" ("entity");
CREATE INDEX payment_party ON "payment" ("party");
CREATE INDEX payment_source ON "payment" ("source");
ALTER TABLE "payment" ADD CONSTRAINT payment_state CHECK (state IN ('created', 'pending', 'paid', 'failed', 'expired'));
ALTER TABLE "payment" ADD CONSTRAINT payment_amount CHECK (amount_ore > 0);
ALTER TABLE "payment" ADD CONSTRAINT payment_refunded CHECK (refunded_ore BETWEEN 0 AND amount_ore AND (refunded_ore = 0 OR state = 'paid'));
CREATE TABLE refund (
  "id" UUID PRIMARY KEY NOT NULL,
  "payment" UUID NOT NULL REFERENCES "payment" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "amount_ore" BIGINT NOT NULL,
  "reason" VARCHAR(40) NOT NULL,
  "state" VARCHAR(8) NOT NULL,
  "stripe_id" VARCHAR(80),
  "created_at" TIMESTAMPTZ NOT NULL,
  "done_at" TIMESTAMPTZ
);
CREATE INDEX refund_payment ON "refund" ("payment");
ALTER TABLE "refund" ADD CONSTRAINT refund_state CHECK (state IN ('queued', 'done', 'refused'));
ALTER TABLE "refund" ADD CONSTRAINT refund_amount CHECK (amount_ore > 0);
CREATE TABLE stripe_event (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "event_id" VARCHAR(80) NOT NULL,
  "type" VARCHAR(60) NOT NULL,
  "object_id" VARCHAR(120) NOT NULL,
  "payment" UUID,
  "created_at" TIMESTAMPTZ NOT NULL,
  "received_at" TIMESTAMPTZ NOT NULL,
  "due_at" TIMESTAMPTZ NOT NULL,
  "attempts" SMALLINT NOT NULL DEFAULT 0,
  "last_error" TEXT,
  "handled_at" TIMESTAMPTZ
);
CREATE INDEX stripe_event_entity ON "stripe_event" ("entity");
ALTER TABLE "stripe_event" ADD CONSTRAINT stripe_event_once UNIQUE ("entity", "event_id");
CREATE TABLE invoice_run (
  "id" UUID PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "month" VARCHAR(7) NOT NULL,
  "state" VARCHAR(8) NOT NULL,
  "issued" INTEGER NOT NULL DEFAULT 0,
  "total_ore" BIGINT NOT NULL DEFAULT 0,
  "started_at" TIMESTAMPTZ NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "started_by" UUID
);
CREATE INDEX invoice_run_entity ON "invoice_run" ("entity");
ALTER TABLE "invoice_run" ADD CONSTRAINT invoice_run_once UNIQUE ("entity", "month");
ALTER TABLE "invoice_run" ADD CONSTRAINT invoice_run_state CHECK (state IN ('running', 'done'));
CREATE TABLE invoicing_date (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "month" VARCHAR(7) NOT NULL,
  "run_on" DATE NOT NULL
);
CREATE INDEX invoicing_date_entity ON "invoicing_date" ("entity");
CREATE INDEX invoicing_date_run_on ON "invoicing_date" ("run_on");
ALTER TABLE "invoicing_date" ADD CONSTRAINT invoicing_date_once UNIQUE ("entity", "month");
CREATE TABLE invoice (
  "id" UUID PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "kind" VARCHAR(12) NOT NULL,
  "year" SMALLINT NOT NULL,
  "seq" INTEGER NOT NULL,
  "number" VARCHAR(16) NOT NULL,
  "party" UUID NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "parties" TEXT NOT NULL,
  "month" VARCHAR(7),
  "part" SMALLINT NOT NULL DEFAULT 1,
  "issued_on" DATE NOT NULL,
  "due_on" DATE NOT NULL,
  "net_ore" BIGINT NOT NULL,
  "vat_ore" BIGINT NOT NULL,
  "rounding_ore" BIGINT NOT NULL,
  "total_ore" BIGINT NOT NULL,
  "ocr" VARCHAR(25) NOT NULL,
  "refers" UUID,
  "state" VARCHAR(8) NOT NULL,
  "created_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX invoice_entity ON "invoice" ("entity");
CREATE INDEX invoice_party ON "invoice" ("party");
CREATE INDEX invoice_refers ON "invoice" ("refers");
ALTER TABLE "invoice" ADD CONSTRAINT invoice_number_once UNIQUE ("entity", "kind", "year", "seq");
ALTER TABLE "invoice" ADD CONSTRAINT invoice_kind CHECK (kind IN ('invoice', 'credit_note') AND (kind = 'invoice') = (refers IS NULL));
ALTER TABLE "invoice" ADD CONSTRAINT invoice_state CHECK (state IN ('issued', 'paid', 'credited'));
ALTER TABLE "invoice" ADD CONSTRAINT invoice_sum CHECK (total_ore = net_ore + vat_ore + rounding_ore AND rounding_ore BETWEEN -50 AND 50);
CREATE TABLE invoice_line (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "invoice" UUID NOT NULL REFERENCES "invoice" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "position" SMALLINT NOT NULL,
  "charge" UUID NOT NULL REFERENCES "charge" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "is_credit" BOOLEAN NOT NULL DEFAULT false,
  "text" VARCHAR(200) NOT NULL,
  "detail" TEXT NOT NULL DEFAULT '',
  "net_ore" BIGINT NOT NULL,
  "vat_rule" VARCHAR(16) NOT NULL
);
CREATE INDEX invoice_line_invoice ON "invoice_line" ("invoice");
CREATE INDEX invoice_line_charge ON "invoice_line" ("charge");
ALTER TABLE "invoice_line" ADD CONSTRAINT invoice_line_charge_once UNIQUE ("charge", "is_credit");
CREATE TABLE invoice_vat (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "invoice" UUID NOT NULL REFERENCES "invoice" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "vat_rule" VARCHAR(16) NOT NULL,
  "percent" SMALLINT NOT NULL,
  "base_ore" BIGINT NOT NULL,
  "vat_ore" BIGINT NOT NULL
);
CREATE INDEX invoice_vat_invoice ON "invoice_vat" ("invoice");
ALTER TABLE "invoice_vat" ADD CONSTRAINT invoice_vat_once UNIQUE ("invoice", "vat_rule");
CREATE TABLE invoice_pdf (
  "invoice" UUID PRIMARY KEY NOT NULL REFERENCES "invoice" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "sha256" VARCHAR(64) NOT NULL,
  "body" BYTEA NOT NULL,
  "rendered_at" TIMESTAMPTZ NOT NULL
);
CREATE TABLE ledger_account (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "number" SMALLINT NOT NULL,
  "name" VARCHAR(80) NOT NULL
);
CREATE INDEX ledger_account_entity ON "ledger_account" ("entity");
ALTER TABLE "ledger_account" ADD CONSTRAINT ledger_account_once UNIQUE ("entity", "number");
CREATE TABLE ledger_entry (
  "id" UUID PRIMARY KEY NOT NULL,
  "entity" VARCHAR(4) NOT NULL REFERENCES "legal_entity" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  "cause_key" VARCHAR(100) NOT NULL,
  "text" VARCHAR(120) NOT NULL,
  "at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX ledger_entry_entity ON "ledger_entry" ("entity");
ALTER TABLE "ledger_entry" ADD CONSTRAINT ledger_entry_cause UNIQUE ("entity", "cause_key");
ALTER TABLE "ledger_entry" ADD CONSTRAINT ledger_entry_home UNIQUE ("id", "entity");
CREATE TABLE posting (
  "id" BIGSERIAL PRIMARY KEY NOT NULL,
  "entry" UUID NOT NULL,
  "entity" VARCHAR(4) NOT NULL,
  "account" SMALLINT NOT NULL,
  "amount_ore" BIGINT NOT NULL
);
CREATE INDEX posting_entry ON "posting" ("entry");

-- What Piccolo's tables can't say.
CREATE UNIQUE INDEX invoice_once_a_month ON invoice (entity, party, month, part) WHERE kind = 'invoice';
CREATE INDEX charge_open ON charge (entity, service_at) WHERE state = 'open';
CREATE UNIQUE INDEX payment_live ON payment (source) WHERE state IN ('created', 'pending');
CREATE UNIQUE INDEX payment_session ON payment (session_id);
CREATE INDEX payment_waiting ON payment (created_at) WHERE state IN ('created', 'pending');
CREATE INDEX customer_evidence_of ON customer_evidence (party, municipality, valid_from);

-- Money can't cross municipalities: a posting, its voucher and its account share one entity.
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_number CHECK (number BETWEEN 1000 AND 9999);
ALTER TABLE posting ADD CONSTRAINT posting_entry FOREIGN KEY (entry, entity) REFERENCES ledger_entry (id, entity);
ALTER TABLE posting ADD CONSTRAINT posting_account FOREIGN KEY (entity, account) REFERENCES ledger_account (entity, number);
CREATE INDEX posting_by_account ON posting (entity, account);

CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted uuid; total bigint; sides int;
BEGIN
  IF TG_TABLE_NAME = 'posting' THEN wanted := NEW.entry; ELSE wanted := NEW.id; END IF;
  SELECT coalesce(sum(amount_ore), 0), count(*) INTO total, sides FROM posting WHERE entry = wanted;
  IF total <> 0 OR sides < 2 THEN
    RAISE EXCEPTION 'voucher % does not balance: % postings, sum %', wanted, sides, total
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER posting_balances AFTER INSERT ON posting
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();

CREATE FUNCTION invoice_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted uuid; doc invoice; lines bigint; base bigint; vat bigint;
BEGIN
  IF TG_TABLE_NAME = 'invoice' THEN wanted := NEW.id; ELSE wanted := NEW.invoice; END IF;
  SELECT * INTO doc FROM invoice WHERE id = wanted;
  SELECT coalesce(sum(net_ore), 0) INTO lines FROM invoice_line WHERE invoice = wanted;
  SELECT coalesce(sum(base_ore), 0), coalesce(sum(vat_ore), 0) INTO base, vat FROM invoice_vat WHERE invoice = wanted;
  IF doc.net_ore <> lines OR doc.net_ore <> base OR doc.vat_ore <> vat THEN
    RAISE EXCEPTION 'invoice % does not add up: net %, lines %, groups %, vat % against %',
      doc.number, doc.net_ore, lines, base, doc.vat_ore, vat USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoice_sum_holds AFTER INSERT ON invoice
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_adds_up();
CREATE CONSTRAINT TRIGGER invoice_line_sum_holds AFTER INSERT ON invoice_line
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_adds_up();
CREATE CONSTRAINT TRIGGER invoice_vat_sum_holds AFTER INSERT ON invoice_vat
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_adds_up();

-- Rows that are final. Correction is a new row that refers: a credit note, a voucher, a new list.
CREATE FUNCTION only_these_may_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_jsonb(OLD) - TG_ARGV <> to_jsonb(NEW) - TG_ARGV THEN
    RAISE EXCEPTION 'UPDATE on % is refused: only % may change', TG_TABLE_NAME, array_to_string(TG_ARGV, ', ')
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tariff_list', 'tariff_rule', 'tariff_example', 'ledger_account', 'ledger_entry',
                              'posting', 'invoice_line', 'invoice_vat', 'invoice_pdf'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION refuse_change()', name || '_is_final', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['invoice', 'charge', 'payment', 'refund', 'stripe_event'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON %I FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION refuse_change()', name || '_stays', name);
  END LOOP;
END $$;
CREATE TRIGGER invoice_is_final BEFORE UPDATE ON invoice
  FOR EACH ROW EXECUTE FUNCTION only_these_may_change('state');
CREATE TRIGGER charge_is_final BEFORE UPDATE ON charge
  FOR EACH ROW EXECUTE FUNCTION only_these_may_change('state', 'payment', 'invoice');
CREATE TRIGGER payment_is_final BEFORE UPDATE ON payment
  FOR EACH ROW EXECUTE FUNCTION only_these_may_change('state', 'session_id', 'url', 'intent', 'refunded_ore', 'paid_at', 'looked_at');
CREATE TRIGGER refund_is_final BEFORE UPDATE ON refund
  FOR EACH ROW EXECUTE FUNCTION only_these_may_change('state', 'stripe_id', 'done_at');
CREATE TRIGGER stripe_event_is_final BEFORE UPDATE ON stripe_event
  FOR EACH ROW EXECUTE FUNCTION only_these_may_change('due_at', 'attempts', 'last_error', 'handled_at');
CREATE INDEX stripe_event_due ON stripe_event (due_at) WHERE handled_at IS NULL;
