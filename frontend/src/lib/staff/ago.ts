/** How long ago, in words. */
import { locale } from '../i18n/text.svelte.ts';
import { s } from './text.ts';

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
	['day', 86_400],
	['hour', 3_600],
	['minute', 60]
];

/** `för 5 minuter sedan`; never seen gives its own word. */
export function ago(instant: string | null, now: number = Date.now()): string {
	if (!instant) return s('never');
	const seconds = (now - Date.parse(instant)) / 1000;
	const words = new Intl.RelativeTimeFormat(locale.language === 'en' ? 'en-GB' : 'sv-SE');
	const [unit, length] = STEPS.find(([, limit]) => seconds >= limit) ?? (['second', 1] as const);
	return words.format(-Math.max(0, Math.floor(seconds / length)), unit);
}
