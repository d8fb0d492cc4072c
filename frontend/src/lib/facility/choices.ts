/** What can be chosen about a time: its length and what it is for. */
import type { Availability, Kind, Purpose } from '../api/types.ts';

export const PURPOSES: readonly Purpose[] = ['training', 'match', 'meeting', 'event', 'private', 'other'];
const LENGTHS: readonly number[] = [30, 60, 90, 120, 150, 180, 240, 300, 360, 480, 600, 720, 1440];

/** What most people do in such a place. */
export function usualPurpose(kind: Kind): Purpose {
	if (kind === 'premises') return 'meeting';
	return kind === 'vehicle' ? 'private' : 'training';
}

/** The lengths in minutes that this resource allows, always with the current one. */
export function durationsOf(times: Availability | undefined, current: number): number[] {
	const allowed = times
		? LENGTHS.filter((one) => one >= times.min_min && one <= times.max_min && one % times.step_min === 0)
		: [60, 90, 120];
	return [...new Set([...allowed, current])].sort((a, b) => a - b);
}
