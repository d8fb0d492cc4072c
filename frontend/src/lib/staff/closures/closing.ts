/** Taking time for the owner: what is wished, as a form has it and as the API takes it, and what becomes of those in the way. */
import type { components } from '../../api/schema.d.ts';
import { dateOf, instantOf, weekdayOf } from '../../format/time.ts';
import { WEEKDAYS } from '../../series/rule.ts';

type Schemas = components['schemas'];
export type BlockBody = Schemas['BlockBody'];
export type BlockPreview = Schemas['BlockPreview'];
export type Affected = Schemas['Affected'];
export type AffectedDeed = Schemas['AffectedDeed'];
export type Block = Schemas['Block'];
export type BlockList = Schemas['BlockList'];
export type Category = Block['category'];

export const categories: Category[] = ['closure', 'maintenance', 'out_of_order', 'event', 'own_use'];

export interface Closing {
	category: Category;
	title: string;
	reason: string;
	resources: string[];
	date: string;
	from: string;
	lastDate: string;
	to: string;
	repeat: 'never' | 'daily' | 'weekly';
	interval: number;
	weekdays: number[];
	until: string;
}
export type Fault = 'resources' | 'title' | 'time' | 'until';

export function spanOf(of: Closing): { start: number; end: number } {
	return { start: instantOf(of.date, of.from), end: of.to === '24:00' ? instantOf(of.lastDate, '00:00') + 86_400_000 : instantOf(of.lastDate, of.to) };
}

/** The first thing that is missing or makes no sense, or null. */
export function faultOf(of: Closing): Fault | null {
	if (of.resources.length === 0) return 'resources';
	if (!of.title.trim()) return 'title';
	if (!of.date || !of.lastDate || spanOf(of).end <= spanOf(of).start) return 'time';
	return of.repeat !== 'never' && !(of.until >= of.date) ? 'until' : null;
}

/** `FREQ=WEEKLY;BYDAY=TU;UNTIL=20261215`, or null when it happens once. */
export function ruleOf(of: Closing): string | null {
	if (of.repeat === 'never') return null;
	const until = `;UNTIL=${of.until.replaceAll('-', '')}`;
	if (of.repeat === 'daily') return `FREQ=DAILY${until}`;
	const days = [...new Set([...of.weekdays, weekdayOf(of.date)])].sort().map((day) => WEEKDAYS[day]);
	return `FREQ=WEEKLY${of.interval > 1 ? `;INTERVAL=${of.interval}` : ''};BYDAY=${days.join(',')}${until}`;
}

export function bodyOf(of: Closing, municipality: string): BlockBody {
	const span = spanOf(of);
	return {
		municipality,
		category: of.category,
		title: of.title.trim(),
		reason: of.reason.trim(),
		resource_ids: of.resources,
		start: new Date(span.start).toISOString(),
		end: new Date(span.end).toISOString(),
		rrule: ruleOf(of)
	};
}

/** Moved where there is somewhere to go, cancelled otherwise, unless staff have chosen. */
export function deedOf(one: Affected, chosen: Readonly<Record<string, 'move' | 'cancel'>>): AffectedDeed {
	const id = one.reservation.id;
	if (!one.best || chosen[id] === 'cancel') return { reservation_id: id, deed: 'cancel' };
	return { reservation_id: id, deed: 'move', to: { resource_id: one.best.resource.id, start: one.best.start, end: one.best.end } };
}

/** Paints a stretch of a day: both ends on the half hour. */
export function painted(of: Closing, resources: readonly string[], start: number, end: number, clock: (instant: number) => string): Closing {
	const last = dateOf(end - 1);
	return { ...of, resources: [...new Set(resources)], date: dateOf(start), from: clock(start), lastDate: last, to: dateOf(end) === last ? clock(end) : '24:00' };
}
