/** Texts of the help page and the accessibility statement, fetched only there. */
import { textsOf } from '../i18n/text.svelte.ts';
import sv from './sv.json';

export const { t: h } = textsOf<keyof typeof sv>(sv, async () => (await import('./en.json')).default);
