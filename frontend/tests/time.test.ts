import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addDays, clockOf, clockRange, countdown, dateOf, instantOf, longRange, minutesOfDay, shortDay, weekdayOf } from '../src/lib/format/time.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

test('an instant is shown in Swedish time whatever the machine says', () => {
	assert.equal(clockOf('2026-11-24T17:00:00Z'), '18:00');
	assert.equal(clockOf('2026-07-01T17:00:00Z'), '19:00');
	assert.equal(dateOf('2026-11-24T23:30:00Z'), '2026-11-25');
});

test('a wall clock becomes the right instant in winter and summer', () => {
	assert.equal(iso(instantOf('2026-11-24', '18:00')), '2026-11-24T17:00:00.000Z');
	assert.equal(iso(instantOf('2026-07-01', '19:00')), '2026-07-01T17:00:00.000Z');
	assert.equal(iso(instantOf('2026-11-24', '00:00')), '2026-11-23T23:00:00.000Z');
});

test('days with a clock change are 23 and 25 hours long', () => {
	assert.equal(minutesOfDay('2027-03-28'), 23 * 60);
	assert.equal(minutesOfDay('2027-10-31'), 25 * 60);
	assert.equal(minutesOfDay('2026-11-24'), 24 * 60);
});

test('a clock that occurs twice is its first occurrence', () => {
	assert.equal(iso(instantOf('2027-10-31', '02:30')), '2027-10-31T00:30:00.000Z');
	assert.equal(iso(instantOf('2027-10-31', '03:00')), '2027-10-31T02:00:00.000Z');
});

test('a clock that is skipped becomes the clock an hour later', () => {
	assert.equal(clockOf(instantOf('2027-03-28', '02:30')), '03:30');
	assert.equal(iso(instantOf('2027-03-28', '01:59')), '2027-03-28T00:59:00.000Z');
	assert.equal(iso(instantOf('2027-03-28', '03:00')), '2027-03-28T01:00:00.000Z');
});

test('every half hour of a year goes to an instant and back', () => {
	for (let date = '2027-01-01'; date < '2028-01-01'; date = addDays(date, 1)) {
		for (const clock of ['00:00', '01:30', '12:00', '23:30']) {
			const instant = instantOf(date, clock);
			assert.equal(`${dateOf(instant)} ${clockOf(instant)}`, `${date} ${clock}`);
		}
	}
});

test('dates are added over months, years and clock changes', () => {
	assert.equal(addDays('2026-12-31', 1), '2027-01-01');
	assert.equal(addDays('2027-03-27', 2), '2027-03-29');
	assert.equal(addDays('2028-03-01', -1), '2028-02-29');
	assert.equal(weekdayOf('2026-11-23'), 0);
	assert.equal(weekdayOf('2026-11-22'), 6);
});

test('ranges read as people write them', () => {
	assert.equal(longRange('2026-11-24T17:00:00Z', '2026-11-24T18:30:00Z', 'sv'), 'tisdag 24 november 18:00–19:30');
	assert.equal(clockRange('2026-11-24T21:00:00Z', '2026-11-24T23:30:00Z', 'sv'), '22:00–ons 25 nov 00:30');
	assert.equal(shortDay('2026-11-24', 'sv'), 'tis 24 nov');
	assert.equal(shortDay('2026-11-24', 'en'), 'Tue 24 Nov'.replace(',', ''));
});

test('the countdown never shows less than nothing', () => {
	assert.equal(countdown(599_400), '10:00');
	assert.equal(countdown(61_000), '1:01');
	assert.equal(countdown(-5), '0:00');
});
