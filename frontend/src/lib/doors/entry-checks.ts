/** What to tell somebody who stands outside, from what is known of the code and its doors. */
import type { Access, AccessDoor } from '../api/types.ts';
import { inDoor, onItsWay } from '../booking/states.ts';
import { clockOf, dateOf, shortDay } from '../format/time.ts';
import { e } from './entry.ts';

export interface Check {
	ok: boolean;
	text: string;
}

/** The clock alone for today, with the day before it for other days. */
function whenOf(instant: string, language: string, now: number): string {
	const day = dateOf(instant);
	return day === dateOf(now) ? clockOf(instant) : `${shortDay(day, language)} ${clockOf(instant)}`;
}

function timeCheck(access: Access, language: string, now: number): Check {
	if (now < Date.parse(access.opens_at)) return { ok: false, text: e('way.time_early', { when: whenOf(access.opens_at, language, now) }) };
	if (now >= Date.parse(access.closes_at)) return { ok: false, text: e('way.time_late', { when: whenOf(access.closes_at, language, now) }) };
	return { ok: true, text: e('way.time_now', { when: whenOf(access.closes_at, language, now) }) };
}

function codeCheck(door: AccessDoor, language: string, now: number): Check {
	const named = { door: door.name };
	if (inDoor(door.state)) {
		return { ok: true, text: door.confirmed_at ? e('way.code_in', { ...named, time: whenOf(door.confirmed_at, language, now) }) : e('way.code_in_some', named) };
	}
	if (door.state === 'rejected') return { ok: false, text: e('way.code_refused', named) };
	if (door.state === 'planned') return { ok: false, text: e('way.code_later', named) };
	return { ok: false, text: e(onItsWay(door.state) ? 'way.code_sent' : 'way.code_over', named) };
}

function doorChecks(door: AccessDoor): Check[] {
	const troubles = [
		door.offline && e('way.offline', { door: door.name }),
		door.flags.includes('clock_untrusted') && e('way.clock', { door: door.name }),
		door.flags.includes('quarantine') && e('way.quarantine', { door: door.name })
	];
	return troubles.filter((text) => text !== false).map((text) => ({ ok: false, text }));
}

/** Time first, then per door where its code stands and what is wrong with it. `now` is epoch ms. */
export function checksOf(access: Access, language: string, now: number): Check[] {
	return [timeCheck(access, language, now), ...access.doors.flatMap((door) => [codeCheck(door, language, now), ...doorChecks(door)])];
}
