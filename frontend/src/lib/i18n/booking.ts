/** Texts of the hold and of a booking's page, apart so that other pages need not fetch them. */
import { textsOf } from './text.svelte.ts';
import sv from './booking.sv.json';

export type Key = keyof typeof sv;
export const { t: b, tn: bn, tx: bx } = textsOf<Key>(sv, async () => (await import('./booking.en.json')).default);
