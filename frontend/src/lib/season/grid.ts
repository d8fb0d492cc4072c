/** A painted week: which half hours would do, and the stretches that they make. Pure. */
import type { RoundRules, Window } from './types.ts';

export type Paint = 'primary' | 'secondary';
export type Cells = ReadonlyMap<string, Paint>;
export const HALF = 30;
export const DAYS = [0, 1, 2, 3, 4, 5, 6] as const;

export const key = (day: number, minute: number): string => `${day}:${minute}`;

export function clock(minute: number): string {
	return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

export function minuteOf(text: string): number {
	const [hour = 0, minute = 0] = text.split(':').map(Number);
	return hour * 60 + minute;
}

/** The half hours that a round shares out on some day, between 06 and 23 at most. */
export function rowsOf(rules: RoundRules): number[] {
	const hours = [rules.weekday, rules.weekend].filter((one) => one !== null);
	const first = Math.max(6 * 60, Math.floor(Math.min(...hours.map((one) => one.opens)) / HALF) * HALF);
	const last = Math.min(23 * 60, Math.max(...hours.map((one) => one.closes)));
	return Array.from({ length: Math.max(0, Math.ceil((last - first) / HALF)) }, (_, index) => first + index * HALF);
}

export function isShared(rules: RoundRules, day: number, minute: number): boolean {
	const hours = day < 5 ? rules.weekday : rules.weekend;
	return hours !== null && minute + HALF > hours.opens && minute < hours.closes;
}

/** The cells that the windows cover. */
export function cellsOf(windows: readonly Window[]): Cells {
	const cells = new Map<string, Paint>();
	for (const one of windows) {
		const from = Math.floor(minuteOf(one.from) / HALF) * HALF;
		for (let minute = from; minute < minuteOf(one.to); minute += HALF) cells.set(key(one.weekday, minute), one.primary ? 'primary' : 'secondary');
	}
	return cells;
}

/** The cells as stretches of one kind, by day and start. */
export function windowsOf(cells: Cells): Window[] {
	const windows: Window[] = [];
	for (const day of DAYS) {
		let open: Window | null = null;
		for (let minute = 0; minute <= 24 * 60; minute += HALF) {
			const paint = cells.get(key(day, minute));
			if (open && (!paint || open.primary !== (paint === 'primary'))) {
				windows.push({ ...open, to: clock(minute) });
				open = null;
			}
			if (paint && !open) open = { weekday: day, from: clock(minute), to: '', primary: paint === 'primary' };
		}
	}
	return windows;
}

/** Paints one cell, or wipes it. */
export function painted(cells: Cells, day: number, minute: number, paint: Paint | null): Cells {
	const next = new Map(cells);
	if (paint) next.set(key(day, minute), paint);
	else next.delete(key(day, minute));
	return next;
}
