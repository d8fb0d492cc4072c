/** Which doors the board shows: each choice is a question about one door. */
import type { Door } from '../api/types.ts';
import { deviating } from '../staff/doors.ts';

export const choices = ['all', 'attention', 'unlocked', 'offline', 'waiting', 'clock', 'battery', 'live'] as const;
export type Choice = (typeof choices)[number];
const LOW_BATTERY = 30;

export function isLow(door: Door): boolean {
	return door.battery !== null && door.battery < LOW_BATTERY;
}

export function fits(door: Door, choice: Choice): boolean {
	switch (choice) {
		case 'attention':
			return door.open_alarms > 0 || deviating([door]).length > 0;
		case 'unlocked':
			return door.lock === 'unlocked' || door.pos === 'open' || door.mode === 'unlocked';
		case 'offline':
			return !door.online;
		case 'waiting':
			return !door.in_sync;
		case 'clock':
			return door.clock !== 'ok';
		case 'battery':
			return isLow(door);
		case 'live':
			return door.live_only;
		default:
			return true;
	}
}

/** Doors whose own or facility's name holds every word. */
export function named(doors: readonly Door[], words: string): Door[] {
	const wanted = words.toLocaleLowerCase('sv').split(/\s+/).filter(Boolean);
	return doors.filter((door) => wanted.every((word) => `${door.facility.name} ${door.name}`.toLocaleLowerCase('sv').includes(word)));
}

export function isChoice(word: string | null): word is Choice {
	return choices.some((one) => one === word);
}
