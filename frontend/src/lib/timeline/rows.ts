/** The timeline's rows: resources grouped by facility, each with its bookings placed on the day. */
import type { Door, Timeline, TimelineBooking, TimelineResource } from '../api/types.ts';
import { inTree, type Placed } from '../facility/tree.ts';
import { addDays, instantOf } from '../format/time.ts';
import { axisOf, lanesOf, place, type Span } from '../schedule-core/layout.ts';

export interface Bar extends Span {
	/** The booking on this row: one that takes several resources has a bar on each. */
	id: string;
	booking: TimelineBooking;
	left: number;
	width: number;
	lane: number;
}
export interface Taken {
	left: number;
	width: number;
	by: string;
	start: string;
	end: string;
}
export interface Row {
	resource: Placed<TimelineResource>;
	bars: Bar[];
	lanes: number;
	doors: Door[];
	/** Time taken by a booking of another resource on the same floor: the whole hall, or a part of it. */
	taken: Taken[];
	/** Where the resource is open, as fractions; null = closed all day. */
	open: { left: number; width: number } | null;
}
export interface Board {
	axis: Span;
	rows: Row[];
}

const GONE = new Set(['cancelled', 'expired']);

const spanOf = (item: { start: string; end: string }): Span => ({ start: Date.parse(item.start), end: Date.parse(item.end) });

function sorted(resources: TimelineResource[]): Placed<TimelineResource>[] {
	const facilities = Map.groupBy(resources, (one) => one.facility.id);
	const groups = [...facilities.values()].toSorted((a, b) => a[0]!.facility.name.localeCompare(b[0]!.facility.name, 'sv'));
	return groups.flatMap((group) => inTree(group));
}

/** Lays out a day. `doors` are the newest states, which may be newer than the timeline's own. */
export function boardOf(timeline: Timeline, doors: Door[]): Board {
	const day = { start: instantOf(timeline.date, '00:00'), end: instantOf(addDays(timeline.date, 1), '00:00') };
	const usual = { start: instantOf(timeline.date, '06:00'), end: instantOf(timeline.date, '23:00') };
	const bookings = timeline.bookings.filter((one) => !GONE.has(one.state));
	const axis = axisOf(bookings.map(spanOf), usual, day);
	const doorById = new Map(doors.map((door) => [door.id, door]));
	const byResource = Map.groupBy(bookings, (one) => one.resource_id);
	const nameOf = new Map(timeline.resources.map((one) => [one.id, one.name]));
	const rows = sorted(timeline.resources).map((resource): Row => {
		const own = (byResource.get(resource.id) ?? []).toSorted((a, b) => a.start.localeCompare(b.start));
		const { lanes, count } = lanesOf(own.map(spanOf));
		const bars = own.flatMap((booking, index): Bar[] => {
			const where = place(spanOf(booking), axis);
			return where ? [{ ...spanOf(booking), ...where, id: `${booking.id}.${resource.id}`, booking, lane: lanes[index] ?? 0 }] : [];
		});
		const open = resource.opens && resource.closes ? place(spanOf({ start: resource.opens, end: resource.closes }), axis) : null;
		const taken = resource.shares.flatMap((id) => byResource.get(id) ?? []).flatMap((other): Taken[] => {
			const where = place(spanOf(other), axis);
			return where ? [{ ...where, by: nameOf.get(other.resource_id) ?? '', start: other.start, end: other.end }] : [];
		});
		return { resource, bars, taken, lanes: count, open, doors: resource.door_ids.flatMap((id) => doorById.get(id) ?? []) };
	});
	return { axis, rows };
}
