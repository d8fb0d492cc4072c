/** Light, dark or as the system says; and the municipality's colour. */
import { session } from '../session/session.svelte.ts';

const STORED = 'theme';

function luminance(hex: string): number {
	const part = (at: number): number => {
		const value = parseInt(hex.slice(at, at + 2), 16) / 255;
		return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
	};
	return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}

/** Contrast between two `#rrggbb` colours, 1 to 21. */
export function contrast(one: string, other: string): number {
	const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
	return (light + 0.05) / (dark + 0.05);
}

/** Puts the stored choice and the brand colour on the page. A brand too pale for white text is left out. */
export function applyTheme(): void {
	const root = document.documentElement;
	const chosen = localStorage.getItem(STORED);
	if (chosen) root.dataset['theme'] = chosen;
	const brand = session.theme?.brand;
	if (brand && /^#[0-9a-f]{6}$/i.test(brand) && contrast(brand, '#ffffff') >= 4.5) root.style.setProperty('--brand-light', brand);
}

function isDark(): boolean {
	const chosen = document.documentElement.dataset['theme'];
	return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

/** Turns light to dark or back, and remembers it in this browser. */
export function switchTheme(): void {
	const next = isDark() ? 'light' : 'dark';
	document.documentElement.dataset['theme'] = next;
	localStorage.setItem(STORED, next);
}
