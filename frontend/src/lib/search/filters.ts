/** The search filters as they stand in the page's address, and as the API wants them. Dates and clocks are local to Sweden. */
import { address } from '../api/client.ts';
import type { Kind } from '../api/types.ts';

export const KINDS: readonly Kind[] = ['hall', 'hall_part', 'court', 'ice', 'pitch', 'pool', 'lane', 'premises', 'vehicle', 'bike'];
export const DURATIONS: readonly number[] = [30, 60, 90, 120, 180, 240];

export interface Filters {
	q: string;
	kind: Kind | null;
	municipality: string[];
	neighbours: boolean;
	/** `YYYY-MM-DD` */
	date: string;
	/** `HH:MM` or empty */
	from: string;
	to: string;
	duration: number;
	near: { lat: number; lon: number } | null;
	features: string[];
	surface: string;
	/** People, 0 is any. */
	capacity: number;
	sort: 'distance' | 'price' | 'name' | null;
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;

function matching(value: string | null, pattern: RegExp): string {
	return value !== null && pattern.test(value) ? value : '';
}

function place(value: string | null): Filters['near'] {
	const [lat, lon] = (value ?? '').split(',').map(Number);
	return lat !== undefined && lon !== undefined && Number.isFinite(lat) && Number.isFinite(lon) ? { lat, lon } : null;
}

/** Reads the address; what makes no sense is left out. Past dates become today. */
export function filtersOf(params: Pick<URLSearchParams, 'get' | 'getAll'>, today: string): Filters {
	const date = matching(params.get('date'), DATE);
	const duration = Number(params.get('duration'));
	const kind = params.get('kind') as Kind | null;
	const sort = params.get('sort');
	return {
		q: params.get('q') ?? '',
		kind: kind && KINDS.includes(kind) ? kind : null,
		municipality: params.getAll('municipality'),
		neighbours: params.get('neighbours') !== 'false',
		date: date > today ? date : today,
		from: matching(params.get('from'), CLOCK),
		to: matching(params.get('to'), CLOCK),
		duration: DURATIONS.includes(duration) ? duration : 60,
		near: place(params.get('near')),
		features: params.getAll('feature').slice(0, 10),
		surface: params.get('surface') ?? '',
		capacity: Math.min(Math.max(Math.floor(Number(params.get('capacity')) || 0), 0), 100_000),
		sort: sort === 'distance' || sort === 'price' || sort === 'name' ? sort : null
	};
}

/** The page's address for these filters; what is as by default is left out. */
export function pageAddress(filters: Filters, today: string): string {
	return address('/sok', {
		q: filters.q,
		kind: filters.kind,
		municipality: filters.municipality,
		neighbours: filters.neighbours ? null : false,
		date: filters.date === today ? null : filters.date,
		from: filters.from,
		to: filters.to,
		duration: filters.duration === 60 ? null : filters.duration,
		feature: filters.features,
		surface: filters.surface,
		capacity: filters.capacity || null,
		near: filters.near && `${filters.near.lat.toFixed(3)},${filters.near.lon.toFixed(3)}`,
		sort: filters.sort
	});
}

/** The API's address for these filters, priced for `whose`. */
export function searchAddress(filters: Filters, whose: { party_id?: string; home?: string }, limit: number): string {
	return address('/api/search', {
		q: filters.q.trim(),
		kind: filters.kind,
		municipality: filters.municipality,
		neighbours: filters.municipality.length > 0 ? filters.neighbours : null,
		date: filters.date,
		from: filters.from,
		to: filters.to,
		duration_min: filters.duration,
		features: filters.features,
		surface: filters.surface,
		min_capacity: filters.capacity || null,
		lat: filters.near?.lat,
		lon: filters.near?.lon,
		sort: filters.sort ?? (filters.near ? 'distance' : null),
		limit,
		...whose
	});
}
