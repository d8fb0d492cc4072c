import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instantOf } from '../src/lib/format/time.ts';
import { axisOf, hoursOf, lanesOf, place, stepFrom } from '../src/lib/schedule-core/layout.ts';

const span = (start: number, end: number): { start: number; end: number } => ({ start, end });
const cell = (id: string, start: number, end: number): { id: string; start: number; end: number } => ({ id, start, end });

test('a booking is placed by its share of the axis and cut at its edges', () => {
	assert.deepEqual(place(span(25, 50), span(0, 100)), { left: 0.25, width: 0.25 });
	assert.deepEqual(place(span(-10, 10), span(0, 100)), { left: 0, width: 0.1 });
	assert.equal(place(span(100, 120), span(0, 100)), null);
});

test('the axis has an hour less or more on days with a clock change', () => {
	const hours = (date: string, next: string): number => hoursOf(span(instantOf(date, '00:00'), instantOf(next, '00:00'))).length;
	assert.equal(hours('2027-03-28', '2027-03-29'), 23);
	assert.equal(hours('2027-10-31', '2027-11-01'), 25);
	assert.equal(hours('2026-11-24', '2026-11-25'), 24);
});

test('the axis grows to hold early and late bookings, but not over midnight', () => {
	const day = span(instantOf('2026-11-24', '00:00'), instantOf('2026-11-25', '00:00'));
	const usual = span(instantOf('2026-11-24', '06:00'), instantOf('2026-11-24', '23:00'));
	assert.deepEqual(axisOf([], usual, day), usual);
	const wide = axisOf([span(instantOf('2026-11-24', '04:40'), instantOf('2026-11-25', '02:00'))], usual, day);
	assert.deepEqual(wide, span(instantOf('2026-11-24', '04:00'), day.end));
});

test('overlapping bookings get lanes of their own, touching ones share', () => {
	assert.deepEqual(lanesOf([span(0, 10), span(10, 20), span(5, 15)]), { lanes: [0, 0, 1], count: 2 });
	assert.deepEqual(lanesOf([]), { lanes: [], count: 1 });
	assert.deepEqual(lanesOf([span(0, 30), span(0, 10), span(10, 20)]), { lanes: [0, 1, 1], count: 2 });
});

test('arrows go to the neighbour in the row and to the nearest in time in the next filled row', () => {
	const rows = [[cell('a', 0, 10), cell('b', 20, 30)], [], [cell('c', 0, 5), cell('d', 22, 40)]];
	assert.equal(stepFrom(rows, 'a', 'right'), 'b');
	assert.equal(stepFrom(rows, 'b', 'right'), null);
	assert.equal(stepFrom(rows, 'b', 'left'), 'a');
	assert.equal(stepFrom(rows, 'b', 'down'), 'd');
	assert.equal(stepFrom(rows, 'a', 'down'), 'c');
	assert.equal(stepFrom(rows, 'd', 'up'), 'b');
	assert.equal(stepFrom(rows, 'c', 'end'), 'd');
	assert.equal(stepFrom(rows, 'b', 'home'), 'a');
	assert.equal(stepFrom(rows, 'a', 'up'), null);
	assert.equal(stepFrom(rows, 'gone', 'down'), null);
});
