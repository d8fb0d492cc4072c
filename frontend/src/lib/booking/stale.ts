/** What others have read before somebody's time changed is read again. */
import { invalidate } from '#lib/api/resource.svelte.ts';

export function timesChanged(): void {
	for (const stale of ['/api/reservations', '/api/search', '/api/resources/']) invalidate(stale);
}
