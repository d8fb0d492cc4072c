/** Texts of what opens on demand: log-in, filters, cancelling, other times. Kept out of the first load. */
import { textsOf } from './text.svelte.ts';
import sv from './more.sv.json';

export const { t: m, tn: mn } = textsOf<keyof typeof sv>(sv, async () => (await import('./more.en.json')).default);
