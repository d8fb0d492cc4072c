/** Texts of the staff's door pages: board, door, events, controllers. */
import { textsOf } from '../i18n/text.svelte.ts';
import sv from './sv.json';

export type DoorKey = keyof typeof sv;
export const { t: d, tn: dn, tx: dx } = textsOf<DoorKey>(sv, async () => (await import('./en.json')).default);
