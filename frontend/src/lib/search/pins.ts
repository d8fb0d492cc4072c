/** One pin per facility with the lowest price of its free resources. */
import type { SearchResult } from '../api/types.ts';
import { kronor } from '../format/money.ts';
import type { Pin } from '../map/pin.ts';

/** `full` is the text of a pin without free times. */
export function pinsOf(results: SearchResult[], language: string, full: string): Pin[] {
	const byFacility = new Map<string, SearchResult[]>();
	for (const result of results) {
		const slug = result.resource.facility.slug;
		byFacility.set(slug, [...(byFacility.get(slug) ?? []), result]);
	}
	return [...byFacility].map(([key, group]) => {
		const { name, lat, lon } = group[0]!.resource.facility;
		const prices = group.map((one) => one.from_price_ore).filter((price) => price !== null);
		const text = prices.length > 0 ? kronor(Math.min(...prices), language) : full;
		return { key, lat, lon, text, label: `${name}, ${text}`, free: prices.length > 0 };
	});
}
