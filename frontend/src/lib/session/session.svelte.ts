/** Who uses the page: the account, the identity they act as, and the home municipality of someone not logged in. */
import { api, setCsrf } from '../api/client.ts';
import { invalidateAll } from '../api/resource.svelte.ts';
import type { Identity, Me, Municipality, Role, Theme } from '../api/types.ts';
import { useLanguage, type Language } from '../i18n/text.svelte.ts';

const ACTING = 'acting-as';
const HOME = 'home-municipality';

let me = $state.raw<Me | null>(null);
let theme = $state.raw<Theme | null>(null);
let municipalities = $state.raw<Municipality[]>([]);
let actingAs = $state<string | null>(null);
let home = $state<string | null>(null);
let searched = $state<string | null>(null);

export const session = {
	get me(): Me | null {
		return me;
	},
	get account() {
		return me?.account ?? null;
	},
	get loggedIn(): boolean {
		return Boolean(me?.account);
	},
	get demo(): boolean {
		return me?.demo ?? false;
	},
	get theme(): Theme | null {
		return theme;
	},
	get municipalities(): Municipality[] {
		return municipalities;
	},
	get identities(): Identity[] {
		return me?.identities ?? [];
	},
	/** The identity acted as: the chosen one, else the person; null when logged out. */
	get identity(): Identity | null {
		const all = me?.identities ?? [];
		return all.find((one) => one.party_id === actingAs) ?? all[0] ?? null;
	},
	/** Where someone who is not logged in says they live; decides the price shown. */
	get home(): string | null {
		return home;
	},
	/** The municipality of the first role of this kind, or null. */
	municipalityOf(roles: readonly Role[]): string | null {
		return me?.roles.find((held) => roles.includes(held.role))?.municipality ?? null;
	},
	hasRole(roles: readonly Role[]): boolean {
		return Boolean(me?.roles.some((held) => roles.includes(held.role)));
	}
};

export const STAFF: readonly Role[] = ['facility_staff', 'admin'];
export const FINANCE: readonly Role[] = ['finance', 'admin'];

/** Takes over what the server says of the one who is logged in. */
export function adopt(next: Me): void {
	me = next;
	setCsrf(next.csrf);
}

/** Loads who we are and how the page looks. Raises a Problem when the server does not answer. */
export async function loadSession(): Promise<void> {
	actingAs = localStorage.getItem(ACTING);
	home = localStorage.getItem(HOME);
	const [mine, look, places] = await Promise.all([
		api.get<Me>('/api/me'),
		api.get<Theme>('/api/theme'),
		api.get<{ municipalities: Municipality[] }>('/api/municipalities')
	]);
	adopt(mine);
	theme = look;
	municipalities = places.municipalities;
}

export async function logIn(email: string, password: string): Promise<void> {
	adopt(await api.post<Me>('/api/session', { email, password }));
	invalidateAll();
}

export async function register(name: string, email: string, password: string, where: string): Promise<void> {
	adopt(await api.post<Me>('/api/accounts', { name, email, password, home_municipality: where }));
	invalidateAll();
}

export async function logOut(): Promise<void> {
	await api.remove('/api/session');
	actAs(null);
	adopt(await api.get<Me>('/api/me'));
	invalidateAll();
}

/** Acts as this party from now on, in this browser. Prices and lists are fetched anew. */
export function actAs(party: string | null): void {
	actingAs = party;
	if (party) localStorage.setItem(ACTING, party);
	else localStorage.removeItem(ACTING);
}

/** A visitor who searches one municipality is taken to live there until they say otherwise. */
export function searchIn(municipalities: readonly string[]): void {
	searched = municipalities.length === 1 ? (municipalities[0] ?? null) : null;
}

export function liveIn(municipality: string | null): void {
	home = municipality;
	if (municipality) localStorage.setItem(HOME, municipality);
	else localStorage.removeItem(HOME);
}

/** Changes the language here and, when logged in, on the account. */
export async function chooseLanguage(language: Language): Promise<void> {
	await useLanguage(language);
	if (me?.account) await api.patch('/api/me', { language }).catch(() => {});
}

/** The query members that decide whose price is shown. */
export function whose(): { party_id?: string; home?: string } {
	const identity = session.identity;
	if (identity) return { party_id: identity.party_id };
	const where = home ?? searched;
	return where ? { home: where } : {};
}
