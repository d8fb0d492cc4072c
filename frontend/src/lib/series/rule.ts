/** Pure: a recurrence as the form has it, as RFC 5545 wants it and as the API takes it. Dates are local to Sweden. */
import { addDays, weekdayOf } from '../format/time.ts';

export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export const INTERVALS = [1, 2, 3, 4] as const;

export interface Recurrence {
	/** 0 = Monday */
	weekdays: number[];
	interval: number;
	/** The first day that may be meant, `YYYY-MM-DD`. */
	begins: string;
	from: string;
	to: string;
	/** The last day, or how many times; the one that is null does not count. */
	until: string | null;
	count: number | null;
}

export type Fault = 'weekdays' | 'begins' | 'clock' | 'until' | 'count';

const DATE = /^\d{4}-\d\d-\d\d$/;
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;

/** The first day on one of the weekdays, from `begins` on. */
export function firstDay(of: Recurrence): string {
	for (let days = 0; days < 7; days++) {
		const day = addDays(of.begins, days);
		if (of.weekdays.includes(weekdayOf(day))) return day;
	}
	return of.begins;
}

/** What is missing or makes no sense, by field. */
export function faultsOf(of: Recurrence): Fault[] {
	const faults: Fault[] = [];
	if (of.weekdays.length === 0) faults.push('weekdays');
	if (!DATE.test(of.begins)) faults.push('begins');
	if (!CLOCK.test(of.from) || !CLOCK.test(of.to) || of.from === of.to) faults.push('clock');
	if (of.until !== null && (!DATE.test(of.until) || of.until < of.begins)) faults.push('until');
	if (of.until === null && (of.count === null || !Number.isInteger(of.count) || of.count < 1 || of.count > 400)) faults.push('count');
	return faults;
}

/** `FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20261215` */
export function ruleOf(of: Recurrence): string {
	const days = of.weekdays.toSorted((a, b) => a - b).map((day) => WEEKDAYS[day]);
	const every = of.interval > 1 ? `;INTERVAL=${of.interval}` : '';
	const end = of.until === null ? `COUNT=${of.count}` : `UNTIL=${of.until.replaceAll('-', '')}`;
	return `FREQ=WEEKLY${every};BYDAY=${days.join(',')};${end}`;
}

/** The last day of the half-year that a day is in: what a term or a season usually is. */
export function endOfTerm(day: string): string {
	const year = day.slice(0, 4);
	return day.slice(5) <= '05-31' ? `${year}-06-15` : `${year}-12-20`;
}
