/** Names of what a place has. The server's own word stands where we have none. */
import { l, lx } from '../i18n/life.ts';

export function featureName(code: string): string {
	const name = lx('feature', code, 'feature.other');
	return name === l('feature.other') ? code : name;
}

export function surfaceName(code: string): string {
	const name = lx('surface', code, 'surface.other');
	return name === l('surface.other') ? code : name;
}
