/** A week's opening hours as a form: weekdays 0–6 from Monday, 7 for public holidays, each with its stretches. */
import { addDays, weekdayOf } from '../../format/time.ts';
import type { DayPreview, WeekStretch } from '../types.ts';

export interface Stretch {
	opens: string;
	closes: string;
}
export type Week = Stretch[][];

export const HOLIDAY = 7;
const byStart = (a: Stretch, b: Stretch): number => a.opens.localeCompare(b.opens);

export function weekOf(stretches: readonly WeekStretch[]): Week {
	return Array.from({ length: 8 }, (_, day) => stretches.filter((one) => one.weekday === day).map(({ opens, closes }) => ({ opens, closes })).toSorted(byStart));
}

export function stretchesOf(week: Week): WeekStretch[] {
	return week.flatMap((day, weekday) => day.toSorted(byStart).map((one) => ({ weekday, ...one })));
}

/** The weekday with a stretch that ends before it starts or meets another; null when all is well. */
export function wrongDay(week: Week): number | null {
	const wrong = week.findIndex((day) => {
		const sorted = day.toSorted(byStart);
		return sorted.some((one, index) => one.closes <= one.opens || (sorted[index + 1]?.opens ?? '99') < one.closes);
	});
	return wrong === -1 ? null : wrong;
}

/** Runs of weekdays with the same hours, as `[first, last, hours]`; the holidays stand alone. */
export function runsOf(week: Week): { first: number; last: number; hours: Stretch[] }[] {
	const key = (day: Stretch[]): string => day.map((one) => `${one.opens}-${one.closes}`).join();
	const runs: { first: number; last: number; hours: Stretch[] }[] = [];
	week.slice(0, HOLIDAY).forEach((hours, day) => {
		const before = runs.at(-1);
		if (before && key(before.hours) === key(hours)) before.last = day;
		else runs.push({ first: day, last: day, hours });
	});
	return week[HOLIDAY]?.length ? [...runs, { first: HOLIDAY, last: HOLIDAY, hours: week[HOLIDAY] }] : runs;
}

/** 08:00–22:30 as short as a small square needs: `8–22:30`. */
export function short(one: Stretch): string {
	const clock = (text: string): string => (text.endsWith(':00') ? String(Number(text.slice(0, 2))) : text.replace(/^0/, ''));
	return `${clock(one.opens)}–${clock(one.closes)}`;
}

/** The days in weeks from Monday, with nulls before the first and after the last. */
export function inWeeks(days: readonly DayPreview[]): (DayPreview | null)[][] {
	const first = days[0];
	if (!first) return [];
	const padded: (DayPreview | null)[] = [...Array.from({ length: weekdayOf(first.date) }, () => null), ...days];
	while (padded.length % 7) padded.push(null);
	return Array.from({ length: padded.length / 7 }, (_, index) => padded.slice(index * 7, index * 7 + 7));
}

/** A date of the weekday, for its name; 2024-01-01 was a Monday. */
export function sampleOf(weekday: number): string {
	return addDays('2024-01-01', weekday);
}
