/** Instants as staff read them: the clock, with its day unless it is today. */
import { clockOf, dateOf, shortDay } from '../format/time.ts';
import { locale } from '../i18n/text.svelte.ts';

export function when(instant: string, now: number = Date.now()): string {
	const day = dateOf(instant);
	return day === dateOf(now) ? clockOf(instant) : `${shortDay(day, locale.language)} ${clockOf(instant)}`;
}
