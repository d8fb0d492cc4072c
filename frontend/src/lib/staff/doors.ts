/** What a door's state means to staff: one word, one tone, one icon; the worst first. */
import type { Door } from '../api/types.ts';
import type { IconName } from '../ui/icons.ts';
import type { Tone } from '../ui/Tag.svelte';

export type DoorWord = 'alarm' | 'offline' | 'lockdown' | 'unlocked' | 'open' | 'waiting' | 'unknown' | 'locked';

const looks: Record<DoorWord, readonly [Tone, IconName]> = {
	alarm: ['error', 'triangle'],
	offline: ['error', 'wifiOff'],
	lockdown: ['error', 'ban'],
	unlocked: ['warn', 'lockOpen'],
	open: ['warn', 'lockOpen'],
	waiting: ['pending', 'hourglass'],
	unknown: ['block', 'info'],
	locked: ['ok', 'lock']
};
const order = Object.keys(looks) as DoorWord[];
/** What staff should know but need not run for. */
const MILD = new Set(['offline', 'clock_drift', 'unconfirmed', 'removal_unconfirmed', 'not_applied', 'horizon_short', 'battery', 'power', 'full']);

function seriousAlarms(door: Door): string[] {
	return door.alarms.filter((alarm) => !MILD.has(alarm));
}

/** True when anybody can walk in. */
export function isOpen(door: Door): boolean {
	return door.lock === 'unlocked' || door.pos === 'open';
}

export function doorWord(door: Door): DoorWord {
	if (!door.online) return 'offline';
	if (seriousAlarms(door).length > 0) return 'alarm';
	if (door.mode === 'lockdown') return 'lockdown';
	if (isOpen(door)) return door.lock === 'unlocked' ? 'unlocked' : 'open';
	if (!door.in_sync) return 'waiting';
	return door.lock === 'unknown' ? 'unknown' : 'locked';
}

export function doorLook(word: DoorWord): readonly [Tone, IconName] {
	return looks[word];
}

/** The word of the door that needs attention most, or null without doors. */
export function worstWord(doors: readonly Door[]): DoorWord | null {
	const words = new Set(doors.map(doorWord));
	return order.find((word) => words.has(word)) ?? null;
}

/** From here on nobody need hurry. */
export const URGENT = order.indexOf('unlocked');

/** How much a door needs attention: 0 the most. */
export function rank(door: Door): number {
	return order.indexOf(doorWord(door));
}

/** Doors that someone should look at: alarm, no contact, or a clock not to be trusted. */
export function deviating(doors: readonly Door[]): Door[] {
	return doors.filter((door) => seriousAlarms(door).length > 0 || !door.online || door.clock === 'untrusted' || door.mode === 'lockdown');
}
