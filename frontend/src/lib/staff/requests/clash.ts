/** A request and what wants or has the same time, on one axis. */
import { axisOf, place, type Span } from '../../schedule-core/layout.ts';
import type { RequestCard } from '../types.ts';

export type ClashKind = 'own' | 'asked' | 'booked';

export interface Clash {
	id: string;
	kind: ClashKind;
	state: string;
	who: string;
	title: string | null;
	start: string;
	end: string;
	left: number;
	width: number;
}

const HOUR_MS = 3_600_000;
const spanOf = (one: { start: string; end: string }): Span => ({ start: Date.parse(one.start), end: Date.parse(one.end) });

/** Other open requests of the list for the same place and time: while they hold none, the server counts them only. */
export function rivalsOf(request: RequestCard, all: readonly RequestCard[]): RequestCard[] {
	const near = (other: RequestCard): boolean =>
		other.resource.id === request.resource.id || other.resource.id === request.resource.parent_id || other.resource.parent_id === request.resource.id;
	const named = new Set(request.conflicts.map((one) => one.id));
	if (request.same_time === 0) return [];
	return all.filter((other) => other.id !== request.id && other.state === 'requested' && !named.has(other.id) && near(other) && other.start < request.end && other.end > request.start);
}

/** The request first, then the others in order of start; the axis has an hour of air on both sides. */
export function clashesOf(request: RequestCard, rivals: readonly RequestCard[]): Clash[] {
	const own = spanOf(request);
	const met = [...request.conflicts, ...rivals.map((one) => ({ ...one, party_name: one.party?.name ?? null }))];
	const spans = [own, ...met.map(spanOf)];
	const usual = { start: own.start - HOUR_MS, end: own.end + HOUR_MS };
	const axis = axisOf(spans, usual, { start: own.start - 24 * HOUR_MS, end: own.end + 24 * HOUR_MS });
	const on = (id: string, kind: ClashKind, state: string, who: string, title: string | null, one: { start: string; end: string }): Clash => ({
		id, kind, state, who, title, start: one.start, end: one.end, ...(place(spanOf(one), axis) ?? { left: 0, width: 0 })
	});
	const others = met.toSorted((a, b) => a.start.localeCompare(b.start));
	return [
		on(request.id, 'own', request.state, request.party?.name ?? '', request.title, request),
		...others.map((one) => on(one.id, one.state === 'requested' ? 'asked' : 'booked', one.state, one.party_name ?? '', one.title, one))
	];
}

/** Whether something stands in the way that an approval cannot push aside. */
export function isTaken(request: RequestCard): boolean {
	return request.conflicts.some((one) => one.state !== 'requested');
}
