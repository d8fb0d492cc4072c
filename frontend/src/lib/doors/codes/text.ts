/** Texts of the page of standing codes. */
import { textsOf } from '../../i18n/text.svelte.ts';
import sv from './sv.json';

export const { t: c, tn: cn, tx: cx } = textsOf<keyof typeof sv>(sv, async () => (await import('./en.json')).default);
