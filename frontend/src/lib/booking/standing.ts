/** Where a booking's code stands by the clock, and the one thing to say of it. Instants of the server's are UTC. */
import type { Access, AccessState } from '../api/types.ts';
import { clockOf, dateOf, shortDay } from '../format/time.ts';
import { accessLook, onItsWay, type Look } from './states.ts';

/** True once the code has left the doors, or is leaving them. */
export function isOver(state: AccessState): boolean {
	return state === 'ended' || state === 'removing' || state === 'removed_confirmed';
}

type Timed = Pick<Access, 'state' | 'opens_at' | 'closes_at'>;

/** Where a code stands by now (epoch ms): the server's word, moved on by the clock to the start and end of its time. */
export function stateAt(code: Timed, now: number): AccessState {
	if (isOver(code.state)) return code.state;
	if (now >= Date.parse(code.closes_at)) return 'ended';
	return code.state === 'applied' && now >= Date.parse(code.opens_at) ? 'active' : code.state;
}

/** True from the booking's day on, and from two hours before it: how the door is now concerns the one who comes. */
export function isNear(code: Timed, now: number): boolean {
	return dateOf(code.opens_at) <= dateOf(now) || now >= Date.parse(code.opens_at) - 7_200_000;
}

export type Standing = AccessState | 'late' | 'lockdown' | 'rejected_ahead';

/** The one thing to say first of a booking's code. */
export function standingOf(access: Access, now: number): Standing {
	const state = stateAt(access, now);
	if (isOver(state)) return state;
	const near = isNear(access, now);
	if (near && access.doors.length > 0 && access.doors.every((door) => door.mode === 'lockdown')) return 'lockdown';
	if (state === 'rejected') return near ? state : 'rejected_ahead';
	return onItsWay(state) && (access.alarm === 'unconfirmed' || access.reserve_pin) ? 'late' : state;
}

/** An instant on its day: the clock alone today, else the day before it. */
export function whenOf(instant: string, language: string, now: number): string {
	const day = dateOf(instant);
	return day === dateOf(now) ? clockOf(instant) : `${shortDay(day, language)} ${clockOf(instant)}`;
}

/** The look of each standing. */
export const standingLook: Record<Standing, Look> = { ...accessLook, late: ['warn', 'triangle'], lockdown: ['error', 'lock'], rejected_ahead: ['warn', 'triangle'] };
