/** Names for what waits, teams and trips send over the wire (booking/api: waiting, teams, vehicles). */
import type { components } from './schema.d.ts';
import type { ResourceCard } from './types.ts';

type Schemas = components['schemas'];

export type Waiting = Schemas['WaitingView'];
export type Trip = Schemas['TripView'];
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
/** What a booking's page has besides, once the server sends it. */
export interface Living {
	trip?: Trip | null;
	late_before?: { expected_at: string } | null;
}
