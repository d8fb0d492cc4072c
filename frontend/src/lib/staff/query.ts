/** What a staff page shows is in its address, so that it can be shared and stepped back to. */
import { goto } from '$app/navigation';
import { page } from '$app/state';
import { session, STAFF } from '../session/session.svelte.ts';

/** The municipality of the address, else the first where one is staff. */
export function chosenMunicipality(): string | null {
	return page.url.searchParams.get('municipality') ?? session.municipalityOf(STAFF);
}

/** Changes the address' query; an empty value leaves it. */
export function setQuery(change: Record<string, string>): void {
	const next = new URLSearchParams(page.url.searchParams.toString());
	for (const [name, value] of Object.entries(change)) {
		if (value) next.set(name, value);
		else next.delete(name);
	}
	void goto(`?${next}`, { replace: true, reset: false });
}
