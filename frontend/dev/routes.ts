/** The contract's answers, from memory. */
import { randomUUID } from 'node:crypto';
import type { Access, AccessState, Hold, Me, Reservation, ResourceCard } from '../src/lib/api/types.ts';
import { addDays, dateOf } from '../src/lib/format/time.ts';
import { facilities, identities, idOf, logins, municipalities, resources } from './data.ts';
import { staff } from './staff.ts';
import { dayOf, freeOn, priceTrace, type Row } from './times.ts';

export class Refusal extends Error {
	readonly status: number;
	readonly code: string;
	readonly more: Record<string, unknown>;
	constructor(status: number, code: string, more: Record<string, unknown> = {}) {
		super(code);
		this.status = status;
		this.code = code;
		this.more = more;
	}
}

type Body = Record<string, unknown>;
export const streams = new Set<(text: string) => void>();
let loggedIn: (typeof logins)[number] | null = null;
const holds = new Map<string, Hold>();
export const reservations = new Map<string, Reservation & { made: number }>();

function publish(topic: string, kind: string, id: string): void {
	for (const send of streams) send(`id: ${Date.now()}\nevent: change\ndata: ${JSON.stringify({ topic, kind, id })}\n\n`);
}

function me(): Me {
	const staffMember = loggedIn?.name === 'Bo Berg';
	return {
		account: loggedIn ? { id: idOf(loggedIn.email), name: loggedIn.name, email: loggedIn.email, language: 'sv' } : null, csrf: randomUUID(), demo: true,
		identities: !loggedIn ? [] : staffMember ? [{ party_id: idOf('bo'), kind: 'person', name: 'Bo Berg', home_municipality: '2401' }] : identities,
		roles: staffMember ? [{ municipality: '2401', role: 'facility_staff' }, { municipality: '2401', role: 'finance' }] : []
	};
}

function homeOf(query: URLSearchParams): string | null {
	const identity = identities.find((one) => one.party_id === query.get('party_id'));
	return identity?.home_municipality ?? query.get('home');
}

function card({ hour_ore: _hour, ...rest }: ResourceCard & { hour_ore?: number }): ResourceCard {
	return rest;
}

function rowOf(id: unknown): Row {
	const row = resources.find((one) => one.id === id);
	if (!row) throw new Refusal(404, 'not_found');
	return row;
}

function search(query: URLSearchParams): unknown {
	const date = query.get('date') ?? dateOf(Date.now());
	const [from, to] = [query.get('from') ?? '00:00', query.get('to') ?? '23:59'];
	const minutes = Number(query.get('duration_min') ?? 60);
	const text = (query.get('q') ?? '').toLowerCase();
	const wanted = query.getAll('municipality');
	const near = municipalities.filter((m) => wanted.includes(m.code)).flatMap((m) => m.neighbours);
	const match = (row: Row): boolean => `${row.facility.name} ${row.name} ${row.facility.municipality.name}`.toLowerCase().includes(text);
	const within = (row: Row): boolean =>
		!wanted.length || wanted.includes(row.facility.municipality.code) || (query.get('neighbours') === 'true' && near.includes(row.facility.municipality.code));
	const base = resources.filter((row) => match(row) && within(row));
	const kind = query.get('kind');
	const results = base.filter((row) => !kind || row.kind === kind).map((row, index) => {
		const free = freeOn(row, date, from, to, minutes, homeOf(query));
		return {
			resource: card(row), distance_m: query.get('lat') ? 800 + index * 5300 : null, neighbour: wanted.length > 0 && !wanted.includes(row.facility.municipality.code),
			free: free.slice(0, 6), free_count: free.length, from_price_ore: free[0]?.price_ore ?? null, reason: free.length ? null : 'fully_booked'
		};
	}).sort((a, b) => Number(b.free_count > 0) - Number(a.free_count > 0));
	const count = (values: string[]): unknown => [...new Set(values)].map((value) => ({ value, count: values.filter((v) => v === value).length }));
	const total_free = results.filter((one) => one.free_count).length;
	const next = resources.slice(0, 3).map((row) => ({ resource: card(row), ...freeOn(row, addDays(date, 1), '00:00', '23:59', minutes, homeOf(query))[0]! }));
	return {
		results: results.slice(Number(query.get('offset') ?? 0), Number(query.get('offset') ?? 0) + Number(query.get('limit') ?? 20)), total: results.length, total_free,
		facets: { kind: count(base.map((r) => r.kind)), municipality: count(resources.map((r) => r.facility.municipality.code)) },
		hint: total_free ? null : { code: 'nothing_free', next: next.filter((one) => one.start) }
	};
}

function alternatives(row: Row, start: string, minutes: number): unknown {
	const day = dateOf(start);
	return {
		same_resource: freeOn(row, addDays(day, 1), '00:00', '23:59', minutes, null).slice(0, 3).map((f) => ({ ...f, resource: card(row) })),
		other_resources: resources.filter((r) => r.kind === row.kind && r.id !== row.id).slice(0, 3).flatMap((r) =>
			freeOn(r, addDays(day, 1), '00:00', '23:59', minutes, null).slice(0, 1).map((f) => ({ ...f, resource: card(r), neighbour: r.facility.municipality.code !== row.facility.municipality.code, distance_m: 24000 })))
	};
}

function hold(body: Body): Hold {
	const row = rowOf(body['resource_id']);
	const [start, end] = [String(body['start']), String(body['end'])];
	if (row.name === 'Halva hallen B') throw new Refusal(409, 'slot_taken', { alternatives: alternatives(row, start, 60) });
	const home = homeOf(new URLSearchParams({ party_id: String(body['party_id'] ?? ''), home: String(body['home'] ?? '') })) || null;
	const made: Hold = {
		id: randomUUID(), resource: card(row), start, end, expires_at: new Date(Date.now() + 600_000).toISOString(), extended: false,
		purpose: (body['purpose'] as Hold['purpose']) ?? 'training', party_id: (body['party_id'] as string | undefined) ?? null, price: priceTrace(row, start, end, home), needs_login: !loggedIn,
		cancel_free_until: new Date(Date.parse(start) - 86_400_000).toISOString(), pay_methods: ['card', 'invoice']
	};
	holds.set(made.id, made);
	return made;
}

function reserve(body: Body): Reservation {
	const held = holds.get(String(body['hold_id']));
	if (!held) throw new Refusal(410, 'hold_expired', { alternatives: { same_resource: [], other_resources: [] } });
	if (!loggedIn) throw new Refusal(401, 'login_required');
	const card_payment = body['method'] === 'card';
	const made: Reservation & { made: number } = {
		id: randomUUID(), number: `B-000${123 + reservations.size}`, resource: held.resource, start: held.start, end: held.end, state: card_payment ? 'awaiting_payment' : 'confirmed',
		purpose: held.purpose, title: null, party: { id: identities[0]!.party_id, name: loggedIn.name }, price_ore: held.price.total_ore, payment_state: card_payment ? 'pending' : 'to_invoice',
		can: ['cancel'], access_state: 'planned', price: held.price, cancel_free_until: held.cancel_free_until, cancel_fee_now_ore: 0, hold_expires_at: null, version: 1, made: Date.now(),
		payment: card_payment ? { state: 'pending', method: 'card', amount_ore: held.price.total_ore, checkout_url: null, receipt_text: null } : null,
		facility: { on_call_phone: '0930-140 00', access_text: 'Huvudentrén mot parkeringen. Knappsatsen sitter till höger om dörren.' }, cancellation: null
	};
	reservations.set(made.id, made);
	holds.delete(held.id);
	setTimeout(() => publish(`reservation:${made.id}`, 'reservation', made.id), 700);
	setTimeout(() => publish(`reservation:${made.id}`, 'reservation', made.id), 4000);
	return made;
}

const STEPS: [number, AccessState][] = [[8000, 'applied'], [5500, 'on_broker'], [4500, 'sealed'], [0, 'planned']];

/** A reservation as it has become by itself since it was made. */
export function grown(id: string): Reservation & { made: number } {
	const found = reservations.get(id);
	if (!found) throw new Refusal(404, 'not_found');
	const age = Date.now() - found.made;
	if (found.state === 'awaiting_payment' && found.payment) {
		if (age > 600) found.payment.checkout_url = `/b/${id}?betald=1`;
		if (age > 4000) {
			found.state = 'confirmed';
			found.payment_state = found.payment.state = 'paid';
			found.payment.receipt_text = 'Kort •••• 4242';
		}
	}
	if (found.state === 'confirmed') found.access_state = STEPS.find(([after]) => age > after)?.[1] ?? 'planned';
	return found;
}

function access(id: string): Access {
	const found = grown(id);
	const state = found.access_state ?? 'planned';
	const [opens_at, closes_at] = [new Date(Date.parse(found.start) - 900_000).toISOString(), new Date(Date.parse(found.end) + 900_000).toISOString()];
	const confirmed_at = state === 'applied' ? new Date(found.made + 8000).toISOString() : null;
	const door = (name: string): Access['doors'][number] => ({ id: idOf(name), name, state, opens_at, closes_at, confirmed_at, offline: false, flags: [] });
	return { pin: found.state === 'confirmed' ? '471908' : null, state, confirmed_at, opens_at, closes_at, alarm: 'Larmet stängs av automatiskt. Släck när du går.', doors: [door('Huvudentré'), door('Omklädningsrum 2')], reserve_pin: null, on_call_phone: '0930-140 00' };
}

function cancel(id: string): Reservation {
	const found = grown(id);
	Object.assign(found, { state: 'cancelled', access_state: 'removing', can: [], payment_state: found.payment ? 'refund_pending' : 'none' });
	found.cancellation = { at: new Date().toISOString(), by: 'Anna Lind', fee_ore: 0, refund_ore: found.price_ore };
	publish(`reservation:${id}`, 'reservation', id);
	return found;
}

export function answer(method: string, url: URL, body: Body): unknown {
	const [, , first = '', id = '', last = ''] = url.pathname.split('/');
	const query = url.searchParams;
	const key = `${method} ${first}`;
	if (key === 'GET me' || key === 'PATCH me') return me();
	if (key === 'GET municipalities') return { municipalities };
	if (key === 'GET theme') return { municipality: null, name: 'Boka i grannkommunen', contact_email: 'bokning@nordmaling.example', contact_phone: '0930-140 00', on_call_phone: '0930-140 00', brand: null, map: { tile_url: null, attribution: null } };
	if (key === 'GET demo') return { logins };
	if (key === 'POST session') {
		loggedIn = logins.find((one) => one.email === body['email'] && one.password === body['password']) ?? null;
		if (!loggedIn) throw new Refusal(401, 'bad_credentials');
		for (const held of holds.values()) held.needs_login = false;
		return me();
	}
	if (key === 'DELETE session') return void (loggedIn = null);
	if (key === 'POST accounts') throw new Refusal(409, 'email_taken', { errors: [{ path: 'email', code: 'email_taken' }] });
	if (key === 'GET search') return search(query);
	if (key === 'GET facilities') {
		const facility = facilities.find((one) => one.slug === id);
		if (!facility) throw new Refusal(404, 'not_found');
		const description = 'Idrottshall med läktare för 120 personer. Mål, nät och badmintonstolpar finns i förrådet till vänster om scenen.';
		return { facility: { ...facility, description, on_call_phone: '0930-140 00', access_text: 'Huvudentrén mot parkeringen. Knappsatsen sitter till höger om dörren.', accessibility: 'Ramp vid huvudentrén, dörrautomatik, RWC på entréplan. Hörslinga saknas.' }, resources: resources.filter((r) => r.facility.id === facility.id).map(({ hour_ore: _h, ...rest }) => rest) };
	}
	if (key === 'GET resources') {
		const row = rowOf(id);
		const minutes = Number(query.get('duration_min') ?? 60);
		const days = Array.from({ length: Number(query.get('days') ?? 1) }, (_, i) => dayOf(row, addDays(query.get('date') ?? '', i), minutes, homeOf(query)));
		const next = [1, 2, 3].flatMap((i) => freeOn(row, addDays(query.get('date') ?? '', i), '00:00', '23:59', minutes, homeOf(query)))[0] ?? null;
		return { resource: card(row), step_min: 30, min_min: 60, max_min: 240, days, next_free: next };
	}
	if (key === 'GET price') return priceTrace(rowOf(query.get('resource_id')), query.get('start') ?? '', query.get('end') ?? '', homeOf(query));
	if (key === 'POST holds' && !id) return hold(body);
	if (first === 'holds') {
		const held = holds.get(id);
		if (!held) throw new Refusal(404, 'not_found');
		if (Date.parse(held.expires_at) < Date.now()) throw new Refusal(410, 'hold_expired', { alternatives: alternatives(rowOf(held.resource.id), held.start, 60) });
		if (last === 'extend') Object.assign(held, { extended: true, expires_at: new Date(Date.parse(held.expires_at) + 600_000).toISOString() });
		if (method === 'PATCH') held.price = priceTrace(rowOf(held.resource.id), held.start, held.end, homeOf(new URLSearchParams({ party_id: String(body['party_id'] ?? '') })));
		if (method === 'DELETE') return void holds.delete(id);
		return held;
	}
	if (key === 'POST reservations' && !id) return reserve(body);
	if (key === 'GET reservations' && !id) {
		const all = [...reservations.keys()].map(grown);
		return { reservations: query.get('when') === 'past' ? [] : all, total: query.get('when') === 'past' ? 0 : all.length };
	}
	if (first === 'reservations') return last === 'access' ? access(id) : last === 'cancel' ? cancel(id) : grown(id);
	const found = staff(method, url, body);
	if (found === undefined) throw new Refusal(404, 'not_found');
	return found;
}
