/** Texts of what a booking lives through: requests, moves, extras, waiting, teams, trips, feeds, message choices. */
import { textsOf } from './text.svelte.ts';
import sv from './life.sv.json';

export const { t: l, tn: ln, tx: lx } = textsOf<keyof typeof sv>(sv, async () => (await import('./life.en.json')).default);
