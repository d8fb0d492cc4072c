/** Invented occupancy: the same every time for the same resource and date. */
import type { DayAvailability, FreeStart, IntervalState, Price, Start } from '../src/lib/api/types.ts';
import { instantOf } from '../src/lib/format/time.ts';
import { resources } from './data.ts';

export type Row = (typeof resources)[number];
const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
const clock = (minutes: number): string =>
	`${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

function stateAt(row: Row, date: string, hour: number): IntervalState {
	if (instantOf(date, clock(hour * 60)) < Date.now()) return 'past';
	if (row.name === 'Cafeteria' && date.endsWith('5')) return 'closed';
	const seed = (parseInt(row.id.slice(0, 6), 16) + Number(date.replaceAll('-', '')) * 7 + hour * 13) % 10;
	if (row.name === 'A-hallen') return 'booked';
	return seed < 5 ? 'booked' : 'free';
}

export function priceOf(row: Row, minutes: number, home: string | null): number {
	const factor = home && home !== row.facility.municipality.code ? 1.65 : 1;
	return Math.round((row.hour_ore * factor * minutes) / 60 / 100) * 100;
}

export function dayOf(row: Row, date: string, minutes: number, home: string | null): DayAvailability {
	const hours = Array.from({ length: 16 }, (_, index) => index + 7);
	const intervals = hours.map((hour) => ({
		start: iso(instantOf(date, clock(hour * 60))), end: iso(instantOf(date, clock(hour * 60 + 60))), state: stateAt(row, date, hour)
	}));
	const starts: Start[] = hours.filter((hour) => hour * 60 + minutes <= 23 * 60).map((hour) => {
		const taken = hours.map((h) => [h, stateAt(row, date, h)] as const)
			.find(([h, state]) => h * 60 < hour * 60 + minutes && h >= hour && state !== 'free');
		return {
			start: iso(instantOf(date, clock(hour * 60))), end: iso(instantOf(date, clock(hour * 60 + minutes))), free: !taken,
			reason: taken ? taken[1] : null, price_ore: taken ? null : priceOf(row, minutes, home)
		};
	});
	return { date, opens: intervals[0]!.start, closes: intervals.at(-1)!.end, intervals, starts };
}

export function freeOn(row: Row, date: string, from: string, to: string, minutes: number, home: string | null): FreeStart[] {
	return dayOf(row, date, minutes, home).starts
		.filter((start) => start.free && Date.parse(start.start) >= instantOf(date, from) && Date.parse(start.start) < instantOf(date, to))
		.map((start) => ({ start: start.start, end: start.end, price_ore: start.price_ore ?? 0 }));
}

export function priceTrace(row: Row, start: string, end: string, home: string | null): Price {
	const minutes = (Date.parse(end) - Date.parse(start)) / 60_000;
	const total = priceOf(row, minutes, home);
	const away = Boolean(home && home !== row.facility.municipality.code);
	const unit = priceOf(row, 60, home);
	return {
		total_ore: total, net_ore: Math.round(total / 1.06), vat_ore: total - Math.round(total / 1.06), vat_text: '6 % moms (idrott)',
		lines: [{ text_en: `${row.facility.name}, ${row.name}`, text: `${row.facility.name}, ${row.name.toLowerCase()}, ${away ? 'utomkommunal träning' : 'kommuninvånare'}`, rule: 'nordmaling-2026/hall/hour',
			quantity: String(minutes / 60), unit: 'h', unit_ore: unit, amount_ore: total }],
		category: away ? 'non_resident' : 'resident', category_text: away ? 'Utsocknes' : 'Kommuninvånare', decision: 'KF 2026-06-15 § 87', tariff: 'Taxa för uthyrning av idrottsanläggning 2026',
		assumptions: home ? [] : ['Vi antar att du bor i kommunen.'], assumptions_en: home ? [] : ['We assume that you live in the municipality.']
	};
}
