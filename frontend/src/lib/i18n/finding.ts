/** Texts of the search and of a facility's page, apart so that other pages need not fetch them. */
import { textsOf } from './text.svelte.ts';
import sv from './finding.sv.json';

export const { t: f, tn: fn, tx: fx } = textsOf<keyof typeof sv>(sv, async () => (await import('./finding.en.json')).default);
