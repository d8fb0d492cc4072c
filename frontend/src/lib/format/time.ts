/** Local time in Sweden, whatever the browser's own zone. Instants are ISO strings in UTC; dates are `YYYY-MM-DD`. */

const ZONE = 'Europe/Stockholm';
const MINUTE_MS = 60_000;

const fields = new Intl.DateTimeFormat('en-CA', {
	timeZone: ZONE,
	hourCycle: 'h23',
	year: 'numeric',
	month: '2-digit',
	day: '2-digit',
	hour: '2-digit',
	minute: '2-digit'
});

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const key = language + JSON.stringify(options);
	const known = formats.get(key);
	if (known) return known;
	const made = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'sv-SE', { timeZone: ZONE, ...options });
	formats.set(key, made);
	return made;
}

function parts(instant: number): Record<string, string> {
	return Object.fromEntries(fields.formatToParts(instant).map((part) => [part.type, part.value]));
}

/** The date in Sweden at this instant. */
export function dateOf(instant: string | number): string {
	const p = parts(new Date(instant).getTime());
	return `${p['year']}-${p['month']}-${p['day']}`;
}

/** The clock in Sweden at this instant, `HH:MM`. */
export function clockOf(instant: string | number): string {
	const p = parts(new Date(instant).getTime());
	return `${p['hour']}:${p['minute']}`;
}

/**
 * The instant (epoch ms) of a wall clock in Sweden. A clock that occurs twice gives the first; one that is
 * skipped in spring gives the instant an hour later on the clock.
 */
export function instantOf(date: string, clock: string): number {
	const asUtc = Date.parse(`${date}T${clock}:00Z`);
	const offsetAt = (instant: number): number => {
		const p = parts(instant);
		const shown = Date.parse(`${p['year']}-${p['month']}-${p['day']}T${p['hour']}:${p['minute']}:00Z`);
		return shown - Math.floor(instant / MINUTE_MS) * MINUTE_MS;
	};
	const early = asUtc - offsetAt(asUtc - 86_400_000);
	const late = asUtc - offsetAt(asUtc + 86_400_000);
	const matches = (instant: number): boolean => dateOf(instant) === date && clockOf(instant) === clock;
	if (matches(early)) return early;
	return matches(late) ? late : early;
}

/** The date so many days later. */
export function addDays(date: string, days: number): string {
	return new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The length of a local day in minutes: 1380, 1440 or 1500. */
export function minutesOfDay(date: string): number {
	return (instantOf(addDays(date, 1), '00:00') - instantOf(date, '00:00')) / MINUTE_MS;
}

/** 0 = Monday. */
export function weekdayOf(date: string): number {
	return (new Date(`${date}T12:00:00Z`).getUTCDay() + 6) % 7;
}

export function minutesBetween(start: string, end: string): number {
	return (Date.parse(end) - Date.parse(start)) / MINUTE_MS;
}

function noonOf(date: string): number {
	return Date.parse(`${date}T12:00:00Z`);
}

function plain(text: string): string {
	return text.replaceAll('.', '');
}

/** `tis 24 nov` */
export function shortDay(date: string, language: string): string {
	return plain(format(language, { weekday: 'short', day: 'numeric', month: 'short' }).format(noonOf(date)));
}

/** `tisdag 24 november` */
export function longDay(date: string, language: string): string {
	return format(language, { weekday: 'long', day: 'numeric', month: 'long' }).format(noonOf(date));
}

/** `tis` */
export function weekdayName(date: string, language: string): string {
	return plain(format(language, { weekday: 'short' }).format(noonOf(date)));
}

/** `nov` */
export function monthName(date: string, language: string): string {
	return plain(format(language, { month: 'short' }).format(noonOf(date)));
}

/** `november 2026` from `2026-11` */
export function monthAndYear(month: string, language: string): string {
	return format(language, { month: 'long', year: 'numeric' }).format(noonOf(`${month}-15`));
}

/** `17:00–18:30`; past midnight the second day is named. */
export function clockRange(start: string, end: string, language: string): string {
	const last = dateOf(end);
	const tail = last === dateOf(start) ? '' : `${shortDay(last, language)} `;
	return `${clockOf(start)}–${tail}${clockOf(end)}`;
}

/** `tisdag 24 november 17:00–18:30` */
export function longRange(start: string, end: string, language: string): string {
	return `${longDay(dateOf(start), language)} ${clockRange(start, end, language)}`;
}

/** `tis 24 nov 17:00–18:30` */
export function shortRange(start: string, end: string, language: string): string {
	return `${shortDay(dateOf(start), language)} ${clockRange(start, end, language)}`;
}

/** `24 nov 2026` from a date, for invoices. */
export function plainDate(date: string, language: string): string {
	return plain(format(language, { day: 'numeric', month: 'short', year: 'numeric' }).format(noonOf(date)));
}

/** `8:05` left, from milliseconds; never below zero. */
export function countdown(left: number): string {
	const seconds = Math.max(0, Math.ceil(left / 1000));
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
