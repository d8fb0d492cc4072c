/** Öre to kronor, for people. */

const formats = new Map<string, Intl.NumberFormat>();

function format(language: string, decimals: number): Intl.NumberFormat {
	const key = `${language}${decimals}`;
	const known = formats.get(key);
	if (known) return known;
	const made = new Intl.NumberFormat(language === 'en' ? 'en-GB' : 'sv-SE', {
		minimumFractionDigits: decimals,
		maximumFractionDigits: decimals
	});
	formats.set(key, made);
	return made;
}

/** `233 kr`, or `6,79 kr` when there are öre. */
export function kronor(ore: number, language: string): string {
	const decimals = ore % 100 === 0 ? 0 : 2;
	return `${format(language, decimals).format(ore / 100)}\u00a0kr`;
}

/** `1,2 km`, `350 m`. */
export function distance(metres: number, language: string): string {
	if (metres < 950) return `${Math.round(metres / 50) * 50} m`;
	const km = metres / 1000;
	return `${format(language, km < 10 ? 1 : 0).format(km)} km`;
}

/** `40 min`, `1 tim`, `1,5 tim`. The word for hours is the caller's. */
export function duration(minutes: number, language: string, hours: string): string {
	if (minutes < 60) return `${minutes} min`;
	const value = new Intl.NumberFormat(language === 'en' ? 'en-GB' : 'sv-SE', { maximumFractionDigits: 2 }).format(minutes / 60);
	return `${value} ${hours}`;
}
