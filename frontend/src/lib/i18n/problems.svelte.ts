/** Texts of the rarer refusals, fetched with the first of them: a page that meets none need not carry them. */
import { locale } from './text.svelte.ts';

type Texts = Record<string, string>;
const sources = { sv: () => import('./problems.sv.json'), en: () => import('./problems.en.json') };
let known = $state.raw<Partial<Record<'sv' | 'en', Texts>>>({});
const asked = new Set<string>();

async function load(language: 'sv' | 'en'): Promise<void> {
	asked.add(language);
	const texts: Texts = await sources[language]().then(({ default: found }) => found, () => ({}));
	known = { ...known, [language]: texts };
}

/** The sentence of a refusal's code; null when there is none, undefined while the texts are on their way. */
export function rareProblem(code: string): string | null | undefined {
	const texts = known[locale.language];
	if (texts) return texts[code] ?? null;
	if (!asked.has(locale.language)) void load(locale.language);
	return undefined;
}
