/** Texts of getting in: what a booking's page says about its doors beyond the code. Fetched after the page itself. */
import { textsOf } from '../i18n/text.svelte.ts';
import sv from './entry.sv.json';

export const { t: e, tx: ex } = textsOf<keyof typeof sv>(sv, async () => (await import('./entry.en.json')).default);
