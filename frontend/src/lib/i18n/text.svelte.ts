/** Texts. `sv.json` is the truth; a test proves that every language has the same keys. */
import sv from './sv.json';

export type Key = keyof typeof sv;
export type Language = 'sv' | 'en';
type Texts = Record<Key, string>;
type Params = Record<string, string | number>;

const STORED = 'language';
let texts = $state.raw<Texts>(sv);
let current = $state<Language>('sv');

export const locale = {
	get language(): Language {
		return current;
	}
};

/** Shows this language from now on, in this browser. */
export async function useLanguage(language: Language): Promise<void> {
	texts = language === 'en' ? ((await import('./en.json')).default as Texts) : sv;
	current = language;
	document.documentElement.lang = language;
	localStorage.setItem(STORED, language);
}

/** The language chosen in this browser, else Swedish. */
export function storedLanguage(): Language {
	return localStorage.getItem(STORED) === 'en' ? 'en' : 'sv';
}

function fill(text: string, params?: Params): string {
	return params ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole)) : text;
}

/** The text of a key, with `{name}` filled in. */
export function t(key: Key, params?: Params): string {
	return fill(texts[key], params);
}

type Counted = { [K in Key]: K extends `${infer Base}.other` ? Base : never }[Key];

/** The text for a number: `base.one` or `base.other`, with `{n}` filled in. */
export function tn(base: Counted, n: number, params: Params = {}): string {
	const form = new Intl.PluralRules(current).select(n) === 'one' ? 'one' : 'other';
	return fill(texts[`${base}.${form}` as Key], { n, ...params });
}

/** The text of a key that the server's word completes, or the fallback when we have no such text. */
export function tx(prefix: string, word: string | null | undefined, fallback: Key): string {
	const key = `${prefix}.${word ?? ''}`;
	return key in texts ? texts[key as Key] : texts[fallback];
}
