/** Texts of recurring bookings. */
import { textsOf } from './text.svelte.ts';
import sv from './series.sv.json';

export const { t: w, tn: wn, tx: wx } = textsOf<keyof typeof sv>(sv, async () => (await import('./series.en.json')).default);
