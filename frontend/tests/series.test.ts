import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PreviewOccurrence } from '../src/lib/api/types.ts';
import { asOffered, carriedOver, sumOf, timesOf } from '../src/lib/series/choosing.ts';
import { endOfTerm, faultsOf, firstDay, ruleOf, type Recurrence } from '../src/lib/series/rule.ts';

const tuesdays: Recurrence = { weekdays: [1], interval: 1, begins: '2026-11-25', from: '18:00', to: '20:00', until: '2026-12-15', count: null };

test('a series begins on the first of its weekdays', () => {
	assert.equal(firstDay(tuesdays), '2026-12-01');
	assert.equal(firstDay({ ...tuesdays, weekdays: [2] }), '2026-11-25');
});

test('the rule is what RFC 5545 says', () => {
	assert.equal(ruleOf(tuesdays), 'FREQ=WEEKLY;BYDAY=TU;UNTIL=20261215');
	assert.equal(ruleOf({ ...tuesdays, weekdays: [3, 1], interval: 2, until: null, count: 10 }), 'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=10');
});

test('what makes no sense is named by its field', () => {
	assert.deepEqual(faultsOf(tuesdays), []);
	assert.deepEqual(faultsOf({ ...tuesdays, weekdays: [], to: '18:00', until: '2026-11-01' }), ['weekdays', 'clock', 'until']);
	assert.deepEqual(faultsOf({ ...tuesdays, until: null, count: 0 }), ['count']);
});

test('a term ends before summer or before Christmas', () => {
	assert.equal(endOfTerm('2027-01-12'), '2027-06-15');
	assert.equal(endOfTerm('2026-09-01'), '2026-12-20');
});

const one = (day: number, status: PreviewOccurrence['status'], price: number | null, other = false): PreviewOccurrence =>
	({
		start: `2026-12-0${day}T17:00:00Z`,
		end: `2026-12-0${day}T19:00:00Z`,
		status,
		reason: null,
		price_ore: price,
		left_out: null,
		clock: null,
		alternative: other ? { resource: { id: 'other' }, start: `2026-12-0${day}T15:00:00Z`, end: `2026-12-0${day}T17:00:00Z`, price_ore: 500 } : null
	}) as unknown as PreviewOccurrence;

test('what is free is chosen, and the sum counts alternatives and what is left to solve', () => {
	const all = [one(1, 'free', 1000), one(2, 'taken', null, true), one(3, 'refused', null), one(4, 'request', 2000)];
	const offered = asOffered(all);
	assert.deepEqual(sumOf(all, offered), { chosen: 2, unsolved: 2, total_ore: 3000 });
	const solved = new Map([...offered, ['2026-12-02T17:00:00Z', 'other'] as const]);
	assert.deepEqual(sumOf(all, solved), { chosen: 3, unsolved: 1, total_ore: 3500 });
	assert.deepEqual(timesOf(all, solved)[1], { start: '2026-12-02T15:00:00Z', end: '2026-12-02T17:00:00Z', resource_id: 'other', instead_of: '2026-12-02T17:00:00Z' });
});

test('a new preview keeps what was left out, and drops what somebody took', () => {
	const before = [one(1, 'free', 1000), one(2, 'free', 1000)];
	const known = new Set(before.map((each) => each.start));
	const chosen = new Map([[before[1]!.start, 'own'] as const]);
	const after = carriedOver(chosen, known, [one(1, 'free', 1000), one(2, 'taken', null, true), one(3, 'free', 1000)]);
	assert.deepEqual([...after.keys()], ['2026-12-03T17:00:00Z']);
});
