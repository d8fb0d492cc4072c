import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reservation } from '../src/lib/api/types.ts';
import { calendarOf } from '../src/lib/booking/calendar.ts';

const booking = {
	id: '0192', number: 'B-000123', version: 2, start: '2027-03-28T00:30:00Z', end: '2027-03-28T02:00:00Z',
	resource: { name: 'Hela hallen; norra', facility: { name: 'Hammarhallen', address: 'Kyrkogatan 12, Nordmaling, med en adress som är så lång att raden måste vikas på mitten' } }
} as Reservation;

test('a calendar file is in UTC, escaped and folded, without the door code', () => {
	const text = calendarOf(booking, 'https://boka.example/b/0192', Date.parse('2026-11-22T17:00:00Z'));
	assert.ok(text.includes('DTSTART:20270328T003000Z\r\nDTEND:20270328T020000Z\r\n'));
	assert.ok(text.includes('DTSTAMP:20261122T170000Z'));
	assert.ok(text.includes('SUMMARY:Hammarhallen\\, Hela hallen\\; norra'));
	assert.ok(text.endsWith('END:VCALENDAR\r\n'));
	for (const line of text.split('\r\n')) assert.ok(new TextEncoder().encode(line).length <= 75, line);
});
