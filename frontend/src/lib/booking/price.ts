/** The words of a price in the user's language. */
import type { Price } from '../api/types.ts';
import { locale, tx } from '../i18n/text.svelte.ts';

/** Who the price is for: the list's own word in Swedish, ours in English. */
export function categoryOf(price: Price): string {
	return locale.language === 'sv' && price.category_text ? price.category_text : tx('category', price.category, 'category.other');
}

export function assumptionsOf(price: Price): string[] {
	return locale.language === 'en' && price.assumptions_en.length > 0 ? price.assumptions_en : price.assumptions;
}
