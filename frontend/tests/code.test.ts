import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access, AccessDoor } from '../src/lib/api/types.ts';
import { isNear, standingOf, stateAt, whenOf } from '../src/lib/booking/standing.ts';

const at = (clock: string, day = '24'): number => Date.parse(`2026-11-${day}T${clock}:00Z`);
const door = { id: 'd', name: 'Entré', kind: 'door', mode: 'normal', offline: false, flags: [], reserve_pin: null, hint: '' };

function access(change: Partial<Access>, mode: AccessDoor['mode'] = 'normal'): Access {
	const code = { state: 'applied', opens_at: '2026-11-24T17:00:00Z', closes_at: '2026-11-24T18:30:00Z', confirmed_at: null, ...change };
	return { pin: '123456', alarm: null, reserve_pin: null, ...code, doors: [{ ...door, ...code, mode } as AccessDoor] } as unknown as Access;
}

test('a confirmed code is valid from its start and over at its end, whatever the server last said', () => {
	assert.equal(stateAt(access({}), at('16:59')), 'applied');
	assert.equal(stateAt(access({}), at('17:00')), 'active');
	assert.equal(stateAt(access({ state: 'used' }), at('17:30')), 'used');
	assert.equal(stateAt(access({ state: 'used' }), at('18:30')), 'ended');
	assert.equal(stateAt(access({ state: 'rejected' }), at('18:30')), 'ended');
	assert.equal(stateAt(access({ state: 'removing' }), at('18:30')), 'removing');
});

test('a door locked down comes before all that is well, on the day and not the day before', () => {
	assert.equal(standingOf(access({}, 'lockdown'), at('17:10')), 'lockdown');
	assert.equal(standingOf(access({}, 'lockdown'), at('17:10', '23')), 'applied');
	assert.equal(standingOf(access({}, 'lockdown'), at('18:30')), 'ended');
	const half = { ...access({}), doors: [...access({}).doors, ...access({}, 'lockdown').doors] };
	assert.equal(standingOf(half, at('17:10')), 'active');
});

test('a code that is not in the door says so once it should be, and a refused one calls nobody a week ahead', () => {
	assert.equal(standingOf(access({ state: 'sealed' }), at('16:00')), 'sealed');
	assert.equal(standingOf(access({ state: 'sealed', alarm: 'unconfirmed' }), at('16:40')), 'late');
	assert.equal(standingOf(access({ state: 'sealed', reserve_pin: '1' }), at('16:40')), 'late');
	assert.equal(standingOf(access({ state: 'rejected' }), at('16:40')), 'rejected');
	assert.equal(standingOf(access({ state: 'rejected' }), at('16:40', '17')), 'rejected_ahead');
});

test('a booking is near on its day, and two hours before one just after midnight', () => {
	assert.equal(isNear(access({}), at('22:59', '23')), false);
	assert.equal(isNear(access({}), at('23:00', '23')), true);
	assert.equal(isNear(access({ opens_at: '2026-11-24T23:15:00Z' }), at('21:20')), true);
});

test('an instant of another day names its day', () => {
	assert.equal(whenOf('2026-11-24T17:00:00Z', 'sv', at('08:00')), '18:00');
	assert.equal(whenOf('2026-11-24T17:00:00Z', 'sv', at('08:00', '26')), 'tis 24 nov 18:00');
});
