/** What to tell somebody who stands outside, from what is known of the code and its doors. */
import type { Access, AccessDoor } from '../api/types.ts';
import { isNear, stateAt, whenOf } from '../booking/standing.ts';
import { inDoor } from '../booking/states.ts';
import { e } from './entry.ts';

export interface Check {
	ok: boolean;
	text: string;
}

const LATE = new Set(['planned', 'sealed', 'on_broker', 'rejected']);

/** The one thing that is wrong at a door for this code, worst first; null when nothing is. */
function troubleOf(door: AccessDoor): string | null {
	const named = { door: door.name };
	const lacks = LATE.has(door.state);
	if (door.mode === 'lockdown') return e('trouble.lockdown', named);
	if (door.flags.includes('quarantine')) return e('trouble.quarantine', named);
	if (door.state === 'rejected') return e('trouble.rejected', named);
	if (lacks && door.flags.includes('unconfirmed')) return e(door.offline ? 'trouble.dark' : 'trouble.late', named);
	if (door.flags.includes('clock_untrusted')) return e('trouble.clock', named);
	return door.offline && !lacks ? e('trouble.offline', named) : null;
}

/** What is wrong at the doors of a booking that is near; a door that has its code and works all the same is not `bad`. */
export function troublesOf(access: Access, now: number): { bad: boolean; text: string }[] {
	if (!isNear(access, now)) return [];
	const found = access.doors.map((door) => ({ bad: door.mode === 'lockdown' || !inDoor(door.state), text: troubleOf(door) }));
	return found.filter((one): one is { bad: boolean; text: string } => one.text !== null);
}

function timeCheck(access: Access, language: string, now: number): Check {
	if (now < Date.parse(access.opens_at)) return { ok: true, text: e('way.time_early', { when: whenOf(access.opens_at, language, now) }) };
	return { ok: true, text: e('way.time_now', { when: whenOf(access.closes_at, language, now) }) };
}

function doorCheck(door: AccessDoor, language: string, now: number): Check {
	const trouble = troubleOf(door);
	if (trouble) return { ok: false, text: trouble };
	const named = { door: door.name };
	const state = stateAt(door, now);
	if (!inDoor(state)) return { ok: true, text: e(state === 'planned' ? 'way.code_later' : 'way.code_sent', named) };
	return { ok: true, text: door.confirmed_at ? e('way.code_in', { ...named, time: whenOf(door.confirmed_at, language, now) }) : e('way.code_in_some', named) };
}

/** Time first, unless every door is locked down; then one line per door. `now` is epoch ms, on the booking's day. */
export function checksOf(access: Access, language: string, now: number): Check[] {
	const doors = access.doors.map((door) => doorCheck(door, language, now));
	return access.doors.every((door) => door.mode === 'lockdown') ? doors : [timeCheck(access, language, now), ...doors];
}
