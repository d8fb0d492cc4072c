/** Texts of the staff's pages, apart from the residents' so that a phone need not fetch them. */
import { textsOf } from '../i18n/text.svelte.ts';
import sv from './sv.json';

export const { t: s, tn: sn, tx: sx } = textsOf<keyof typeof sv>(sv, async () => (await import('./en.json')).default);
