/** Texts. `sv.json` is the truth; a test proves that every language has the same keys. */
import sv from './sv.json';

export type Language = 'sv' | 'en';
type Params = Record<string, string | number>;
type Counted<K extends string> = { [Key in K]: Key extends `${infer Base}.other` ? Base : never }[K];

export interface Texts<K extends string> {
	/** The text of a key, with `{name}` filled in. */
	t(key: K, params?: Params): string;
	/** The text for a number: `base.one` or `base.other`, with `{n}` filled in. */
	tn(base: Counted<K>, n: number, params?: Params): string;
	/** The text of a key that the server's word completes, or the fallback when we have no such text. */
	tx(prefix: string, word: string | null | undefined, fallback: K): string;
}

const STORED = 'language';
const reloads: ((language: Language) => Promise<void>)[] = [];
let current = $state<Language>('sv');

export const locale = {
	get language(): Language {
		return current;
	}
};

/** Shows this language from now on, in this browser. */
export async function useLanguage(language: Language): Promise<void> {
	await Promise.all(reloads.map((reload) => reload(language)));
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

/** The texts of one part of the product; the English ones are fetched when first wanted. */
export function textsOf<K extends string>(swedish: Record<K, string>, english: () => Promise<Record<K, string>>): Texts<K> {
	let texts = $state.raw(swedish);
	const reload = async (language: Language): Promise<void> => {
		texts = language === 'en' ? await english() : swedish;
	};
	reloads.push(reload);
	if (current !== 'sv') void reload(current);
	return {
		t: (key, params) => fill(texts[key], params),
		tn(base, n, params = {}) {
			const form = new Intl.PluralRules(current).select(n) === 'one' ? 'one' : 'other';
			return fill(texts[`${base}.${form}` as K], { n, ...params });
		},
		tx(prefix, word, fallback) {
			const key = `${prefix}.${word ?? ''}`;
			return key in texts ? texts[key as K] : texts[fallback];
		}
	};
}

export type Key = keyof typeof sv;
export const { t, tn, tx } = textsOf<Key>(sv, async () => (await import('./en.json')).default);
