/** Texts of season rounds, for associations and staff. Fetched with those pages only. */
import { addDays, dateOf } from '../format/time.ts';
import { locale, textsOf } from '../i18n/text.svelte.ts';
import sv from './sv.json';

export type SeasonKey = keyof typeof sv;
export const { t: s, tn: sn, tx: sx } = textsOf<SeasonKey>(sv, async () => (await import('./en.json')).default);

const MONDAY = '2026-11-23';

/** The name of a weekday, 0 is Monday. */
export function dayName(day: number, width: 'short' | 'long' = 'long'): string {
	const name = new Intl.DateTimeFormat(locale.language === 'en' ? 'en-GB' : 'sv-SE', { weekday: width, timeZone: 'UTC' }).format(Date.parse(`${addDays(MONDAY, day)}T12:00Z`));
	return name.replace('.', '').slice(0, width === 'short' ? 3 : undefined);
}

/** The last local day on which one can apply: the instant itself is no longer in time. */
export function lastDay(appliesTo: string): string {
	return dateOf(Date.parse(appliesTo) - 1);
}
