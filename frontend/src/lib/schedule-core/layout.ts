/** Where things stand on a day's time axis: pure functions on instants (epoch ms), so that days of 23 and 25 hours come out right. */

const HOUR_MS = 3_600_000;

export interface Span {
	start: number;
	end: number;
}

/** Left edge and width as fractions of the axis; null when nothing of it is on the axis. */
export function place(span: Span, axis: Span): { left: number; width: number } | null {
	const start = Math.max(span.start, axis.start);
	const end = Math.min(span.end, axis.end);
	if (end <= start) return null;
	const length = axis.end - axis.start;
	return { left: (start - axis.start) / length, width: (end - start) / length };
}

/** Every whole hour on the axis. */
export function hoursOf(axis: Span): number[] {
	const first = Math.ceil(axis.start / HOUR_MS) * HOUR_MS;
	return Array.from({ length: Math.max(0, Math.ceil((axis.end - first) / HOUR_MS)) }, (_, index) => first + index * HOUR_MS);
}

/** The axis of a day: from `usual`, widened to whole hours so that every span of the day is on it, within the day. */
export function axisOf(spans: readonly Span[], usual: Span, day: Span): Span {
	const start = Math.min(usual.start, ...spans.map((span) => span.start));
	const end = Math.max(usual.end, ...spans.map((span) => span.end));
	return {
		start: Math.max(day.start, Math.floor(start / HOUR_MS) * HOUR_MS),
		end: Math.min(day.end, Math.ceil(end / HOUR_MS) * HOUR_MS)
	};
}

/** A lane for each span so that overlapping ones are not in the same lane; and how many lanes that takes. */
export function lanesOf(spans: readonly Span[]): { lanes: number[]; count: number } {
	const order = spans.map((_, index) => index).sort((a, b) => spans[a]!.start - spans[b]!.start || spans[b]!.end - spans[a]!.end);
	const ends: number[] = [];
	const lanes = new Array<number>(spans.length).fill(0);
	for (const index of order) {
		const span = spans[index]!;
		const free = ends.findIndex((end) => end <= span.start);
		const lane = free === -1 ? ends.length : free;
		ends[lane] = span.end;
		lanes[index] = lane;
	}
	return { lanes, count: Math.max(1, ends.length) };
}

export type Step = 'left' | 'right' | 'up' | 'down' | 'home' | 'end';

interface Cell extends Span {
	id: string;
}

/**
 * The booking that an arrow key leads to from `current`, or null at the edge. Up and down go to the booking
 * nearest in time in the next row that has any. `rows` are sorted by start.
 */
export function stepFrom(rows: readonly (readonly Cell[])[], current: string, step: Step): string | null {
	const row = rows.findIndex((cells) => cells.some((cell) => cell.id === current));
	const cells = rows[row];
	if (!cells) return null;
	const column = cells.findIndex((cell) => cell.id === current);
	const from = cells[column]!;
	if (step === 'home') return cells[0]!.id;
	if (step === 'end') return cells.at(-1)!.id;
	if (step === 'left') return cells[column - 1]?.id ?? null;
	if (step === 'right') return cells[column + 1]?.id ?? null;
	const direction = step === 'up' ? -1 : 1;
	for (let next = row + direction; next >= 0 && next < rows.length; next += direction) {
		const best = nearest(rows[next]!, (from.start + from.end) / 2);
		if (best) return best.id;
	}
	return null;
}

function nearest<T extends Cell>(cells: readonly T[], when: number): T | null {
	const far = (cell: T): number => Math.max(cell.start - when, when - cell.end, 0);
	return cells.reduce<T | null>((best, cell) => (best === null || far(cell) < far(best) ? cell : best), null);
}
