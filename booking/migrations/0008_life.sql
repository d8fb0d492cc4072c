-- 0008: what a trip costs per km is a charge of its own; a hold is offered to one who waits. Never edited after release.
ALTER TABLE "charge" DROP CONSTRAINT charge_kind;
ALTER TABLE "charge" ADD CONSTRAINT charge_kind CHECK (kind IN ('usage', 'cancel_fee', 'no_show', 'penalty', 'trip'));
CREATE UNIQUE INDEX waiting_offer ON waiting (offer) WHERE offer IS NOT NULL;
