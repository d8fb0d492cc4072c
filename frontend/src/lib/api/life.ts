/** Names for what waits, teams and trips send over the wire (booking/api: waiting, teams, vehicles). */
import type { ResourceCard } from './types.ts';

export interface Offer {
	hold_id: string;
	start: string;
	end: string;
	resource: ResourceCard;
	until: string;
}
export interface Waiting {
	id: string;
	kind: 'queue' | 'watch';
	state: string;
	resource: ResourceCard | null;
	facility: { id: string; name: string } | null;
	municipality: string;
	from_at: string;
	to_at: string;
	minutes: number;
	position: number | null;
	offer: Offer | null;
}
export interface TeamMember {
	account_id: string;
	name: string;
	email?: string | null;
	leads: boolean;
}
export interface Team {
	id: string;
	name: string;
	party_id?: string;
	members?: TeamMember[];
}
export interface TeamTime {
	reservation_id?: string;
	team_id?: string;
	start: string;
	end: string;
	resource: ResourceCard;
	title?: string | null;
}
export interface Trip {
	out_at: string | null;
	out_km: number | null;
	out_pct: number | null;
	in_at: string | null;
	in_km: number | null;
	in_pct: number | null;
	late_min: number | null;
	next_starts_at: string | null;
	price: { total_ore: number } | null;
}
/** What a booking's page has besides, once the server sends it. */
export interface Living {
	trip?: Trip | null;
	late_before?: { expected_at: string } | null;
}
