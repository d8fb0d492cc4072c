/** Texts of what staff decide and set up: requests, closures, rules, hours, messages. Fetched with those pages only. */
import { textsOf } from '../i18n/text.svelte.ts';
import sv from './work.sv.json';

export type WorkKey = keyof typeof sv;
export const { t: w, tn: wn, tx: wx } = textsOf<WorkKey>(sv, async () => (await import('./work.en.json')).default);
