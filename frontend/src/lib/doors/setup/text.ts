/** Texts of setting doors up: what opens them, their times, the municipality's policy. */
import { textsOf } from '../../i18n/text.svelte.ts';
import sv from './sv.json';

export const { t: l, tn: ln } = textsOf<keyof typeof sv>(sv, async () => (await import('./en.json')).default);
