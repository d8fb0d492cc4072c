/** What crosses the wire, by hand from the API contract until the generated types replace this file. Money is öre, instants are UTC. */
export type Kind = 'hall' | 'hall_part' | 'ice' | 'pitch' | 'premises' | 'vehicle' | 'pool' | 'court';
export type Purpose = 'training' | 'match' | 'meeting' | 'event' | 'private' | 'other';
export type PartyKind = 'person' | 'association' | 'municipal_unit' | 'company';
export type Role = 'resident' | 'booker' | 'facility_staff' | 'finance' | 'admin';

export interface Identity {
	party_id: string;
	kind: PartyKind;
	name: string;
	home_municipality: string | null;
}
export interface Account {
	id: string;
	name: string;
	email: string;
	language: 'sv' | 'en';
}
export interface Me {
	account: Account | null;
	csrf: string;
	identities: Identity[];
	roles: { municipality: string; role: Role }[];
	demo: boolean;
}
export interface DemoLogin {
	email: string;
	password: string;
	name: string;
	what: string;
}
export interface Municipality {
	code: string;
	name: string;
	neighbours: string[];
}
export interface Theme {
	municipality: string | null;
	name: string;
	contact_email: string;
	contact_phone: string;
	on_call_phone: string;
	brand: string | null;
	map: { tile_url: string | null; attribution: string | null };
}

export interface FacilityRef {
	id: string;
	slug: string;
	name: string;
	municipality: { code: string; name: string };
	address: string;
	lat: number;
	lon: number;
}
export interface ResourceCard {
	id: string;
	slug: string;
	name: string;
	kind: Kind;
	part_of: string | null;
	capacity: number | null;
	area_m2: number | null;
	facility: FacilityRef;
}
export interface FacilityResource extends ResourceCard {
	parent_id: string | null;
	price_from_ore: number | null;
}
export interface FacilityPage {
	facility: FacilityRef & {
		description: string;
		on_call_phone: string;
		access_text: string;
		accessibility: string;
	};
	resources: FacilityResource[];
}

export interface PriceLine {
	text: string;
	text_en: string;
	rule: string;
	quantity: string;
	unit: string;
	unit_ore: number;
	amount_ore: number;
}
export interface Price {
	total_ore: number;
	net_ore: number;
	vat_ore: number;
	vat_text: string;
	lines: PriceLine[];
	category: string;
	category_text: string;
	decision: string;
	tariff: string;
	/** Sentences, in both languages. */
	assumptions: string[];
	assumptions_en: string[];
}
export interface FreeStart {
	start: string;
	end: string;
	price_ore: number;
}

export interface SearchResult {
	resource: ResourceCard;
	distance_m: number | null;
	neighbour: boolean;
	free: FreeStart[];
	free_count: number;
	from_price_ore: number | null;
	reason: string | null;
}
export interface Facet {
	value: string;
	count: number;
}
export interface NextFree extends FreeStart {
	resource: ResourceCard;
}
export interface SearchAnswer {
	results: SearchResult[];
	total: number;
	total_free: number;
	facets: { kind: Facet[]; municipality: Facet[] };
	hint: { code: 'nothing_free'; next: NextFree[] } | null;
}

export type IntervalState = 'free' | 'booked' | 'buffer' | 'closed' | 'past' | 'too_late' | 'not_open_yet';
export interface Interval {
	start: string;
	end: string;
	state: IntervalState;
}
export interface Start {
	start: string;
	end: string;
	free: boolean;
	reason: string | null;
	price_ore: number | null;
}
export interface DayAvailability {
	date: string;
	opens: string | null;
	closes: string | null;
	intervals: Interval[];
	starts: Start[];
}
export interface Availability {
	resource: ResourceCard;
	step_min: number;
	min_min: number;
	max_min: number;
	days: DayAvailability[];
	next_free: FreeStart | null;
}

export type PayMethod = 'card' | 'invoice' | 'free';
export interface Hold {
	id: string;
	resource: ResourceCard;
	start: string;
	end: string;
	expires_at: string;
	extended: boolean;
	purpose: Purpose;
	price: Price;
	needs_login: boolean;
	cancel_free_until: string | null;
	pay_methods: PayMethod[];
}
export interface Alternatives {
	same_resource: NextFree[];
	other_resources: (NextFree & { neighbour: boolean; distance_m: number | null })[];
}

export type ReservationState = 'awaiting_payment' | 'confirmed' | 'cancelled' | 'completed' | 'expired';
export type PaymentState =
	| 'none'
	| 'pending'
	| 'paid'
	| 'refund_pending'
	| 'refunded'
	| 'to_invoice'
	| 'invoiced'
	| 'failed';
export type AccessState =
	| 'planned'
	| 'sealed'
	| 'on_broker'
	| 'applied'
	| 'active'
	| 'used'
	| 'ended'
	| 'removing'
	| 'removed_confirmed'
	| 'rejected';

export interface ReservationCard {
	id: string;
	number: string;
	resource: ResourceCard;
	start: string;
	end: string;
	state: ReservationState;
	purpose: Purpose;
	title: string | null;
	party: { id: string; name: string };
	price_ore: number;
	payment_state: PaymentState;
	can: ('cancel' | 'pay')[];
	access_state: AccessState | null;
}
export interface Reservation extends ReservationCard {
	price: Price;
	cancel_free_until: string | null;
	hold_expires_at: string | null;
	payment: {
		state: PaymentState;
		method: PayMethod;
		amount_ore: number;
		checkout_url: string | null;
		receipt_text: string | null;
	} | null;
	version: number;
	facility: { on_call_phone: string; access_text: string };
	cancellation: { at: string; by: string; fee_ore: number; refund_ore: number } | null;
}
export interface AccessDoor {
	id: string;
	name: string;
	state: AccessState;
	opens_at: string;
	closes_at: string;
	confirmed_at: string | null;
	offline: boolean;
	flags: string[];
}
export interface Access {
	pin: string | null;
	state: AccessState;
	confirmed_at: string | null;
	opens_at: string;
	closes_at: string;
	alarm: string | null;
	doors: AccessDoor[];
	reserve_pin: string | null;
	on_call_phone: string;
}

export interface TimelineResource {
	id: string;
	name: string;
	facility: { id: string; name: string };
	part_of: string | null;
	parent_id: string | null;
	kind: Kind;
	door_ids: string[];
	/** Other resources on the same floor: what is booked there takes this one too. */
	shares: string[];
	opens: string | null;
	closes: string | null;
}
export interface TimelineBooking {
	id: string;
	resource_id: string;
	start: string;
	end: string;
	state: ReservationState;
	title: string | null;
	party_name: string;
	purpose: Purpose;
	access_state: AccessState | null;
	payment_state: PaymentState;
}
export interface Door {
	id: string;
	name: string;
	facility: { id: string; name: string };
	controller: string;
	online: boolean;
	last_seen: string | null;
	lock: 'locked' | 'unlocked' | 'unknown';
	pos: 'open' | 'closed' | 'unknown';
	mode: 'normal' | 'lockdown' | 'unlocked';
	clock: 'ok' | 'drift' | 'untrusted';
	applied_version: string | null;
	wanted_version: string;
	in_sync: boolean;
	codes_now: number;
	alarms: string[];
	simulated: boolean;
}
export interface DoorDetail extends Door {
	grants: {
		reservation_id: string | null;
		party_name: string;
		opens_at: string;
		closes_at: string;
		state: AccessState;
	}[];
	events: { at: string; kind: string; why: string | null; party_name: string | null }[];
}
export interface Timeline {
	date: string;
	municipality: string;
	resources: TimelineResource[];
	bookings: TimelineBooking[];
	doors: Door[];
}

export interface InvoiceCard {
	id: string;
	number: string;
	kind: 'invoice' | 'credit_note';
	issuer: { name: string };
	party: { id: string; name: string };
	issued_on: string;
	due_on: string;
	total_ore: number;
	state: 'issued' | 'paid' | 'credited' | 'overdue';
	ocr: string;
}
export interface InvoiceRun {
	id: string;
	month: string;
	state: string;
	issued: number;
	total_ore: number;
	started_at: string;
	finished_at: string | null;
}
export interface InvoiceRunStarted {
	id: string;
	state: string;
	issued: number;
	already: number;
	total_ore: number;
	progress: { done: number; total: number };
}
export interface Uninvoiced {
	parties: { party: { id: string; name: string }; charges: number; total_ore: number }[];
	total_ore: number;
}
export interface SimulatedDoor {
	id: string;
	name: string;
	facility_name: string;
	municipality: string;
	controller: string;
}
export interface SimulatedTry {
	granted: boolean;
	event: string;
	why: string | null;
	unlock_s: number | null;
}
export interface Change {
	topic: string;
	kind: string;
	id: string;
}
