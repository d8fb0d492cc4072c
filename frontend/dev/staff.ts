/** Invented answers for staff, finance and the simulated keypad. */
import type { Door, InvoiceCard, TimelineBooking } from '../src/lib/api/types.ts';
import { dateOf, instantOf } from '../src/lib/format/time.ts';
import { facilities, idOf, resources } from './data.ts';

type Body = Record<string, unknown>;
const names = ['Nordmalings IK', 'Skola åk 4', 'Korpen', 'Medborgarskolan', 'Anna Lind', 'Levar BK', 'PRO Nordmaling', 'Teatergruppen'];
const local = resources.filter((row) => row.facility.municipality.code === '2401');
const many = Array.from({ length: 3 }, (_, copy) => local.map((row) => ({ ...row, id: copy ? idOf(row.id + copy) : row.id, name: copy ? `${row.name} ${copy + 1}` : row.name }))).flat();

const doors: Door[] = facilities.filter((f) => f.municipality.code === '2401').flatMap((facility, f) =>
	['Huvudentré', 'Omklädningsrum 2', 'Förråd'].map((name, d): Door => {
		const odd = f * 3 + d;
		return {
			id: idOf(facility.name + name), name, facility: { id: facility.id, name: facility.name }, controller: `${facility.slug}-1`, online: odd !== 2,
			last_seen: new Date(Date.now() - (odd === 2 ? 5_400_000 : 20_000)).toISOString(), lock: odd === 1 ? 'unlocked' : 'locked', pos: odd === 4 ? 'open' : 'closed',
			mode: 'normal', clock: odd === 5 ? 'drift' : 'ok', applied_version: odd === 2 ? '41' : '42', wanted_version: '42', in_sync: odd !== 2, codes_now: 1 + odd,
			alarms: odd === 4 ? ['held_open'] : [], simulated: true
		};
	})
);

function bookings(date: string): TimelineBooking[] {
	return many.flatMap((row, index) =>
		[8, 10.5, 13, 16, 18, 20].filter((_, k) => (index + k) % 3 !== 0).map((hour, k): TimelineBooking => {
			const start = instantOf(date, '00:00') + (hour + (index % 3) / 4) * 3_600_000;
			return {
				id: idOf(`${row.id}${k}${date}`), resource_id: row.id, start: new Date(start).toISOString(), end: new Date(start + (1.5 + (k % 2) / 2) * 3_600_000).toISOString(),
				state: k === 2 ? 'awaiting_payment' : 'confirmed', title: k === 1 ? 'Träning F12' : null, party_name: names[(index + k) % names.length]!, purpose: 'training',
				access_state: k === 2 ? null : k === 3 ? 'on_broker' : 'applied', payment_state: k === 2 ? 'pending' : 'to_invoice'
			};
		})
	);
}

const invoices: InvoiceCard[] = names.slice(0, 6).map((name, index) => ({
	id: idOf(`invoice${name}`), number: `2401-2026-${String(118 + index).padStart(5, '0')}`, kind: index === 4 ? 'credit_note' : 'invoice', issuer: { name: 'Nordmalings kommun' },
	party: { id: idOf(name), name }, issued_on: '2026-11-01', due_on: '2026-12-01', total_ore: (index === 4 ? -1 : 1) * (123400 + index * 77100),
	state: (['issued', 'paid', 'overdue', 'issued', 'credited', 'paid'] as const)[index]!, ocr: `24012026${118 + index}7`
}));

export function staff(method: string, url: URL, body: Body): unknown {
	const [, , first = '', id = '', last = ''] = url.pathname.split('/');
	const key = `${method} ${first}`;
	const date = url.searchParams.get('date') ?? dateOf(Date.now());
	if (key === 'GET timeline') {
		return {
			date, municipality: '2401', doors, bookings: bookings(date),
			resources: many.map((row) => ({
				id: row.id, name: row.name, facility: row.facility, part_of: row.part_of, parent_id: row.parent_id, kind: row.kind,
				door_ids: doors.filter((door) => door.facility.id === row.facility.id).slice(0, 2).map((door) => door.id),
				shares: [],
				opens: new Date(instantOf(date, '07:00')).toISOString(), closes: new Date(instantOf(date, '22:00')).toISOString()
			}))
		};
	}
	if (key === 'GET doors' && !id) return { doors };
	if (key === 'GET doors') {
		const now = Date.now();
		const grants = names.slice(0, 3).map((party_name, k) => ({ reservation_id: idOf(party_name), party_name, opens_at: new Date(now + (k - 1) * 7_200_000).toISOString(), closes_at: new Date(now + k * 7_200_000).toISOString(), state: 'applied' }));
		const events = ['granted', 'denied', 'door_opened', 'door_closed', 'snapshot_applied'].map((kind, k) => ({ at: new Date(now - k * 1_800_000).toISOString(), kind, why: kind === 'denied' ? 'outside_window' : null, party_name: kind === 'granted' ? names[1] : null }));
		return { ...doors.find((door) => door.id === id), grants, events };
	}
	if (key === 'GET invoices' && !id) return { invoices, total: invoices.length };
	if (key === 'GET invoice-runs') return { runs: [{ id: idOf('run'), month: '2026-10', state: 'finished', issued: 34, total_ore: 8_412_300, started_at: '2026-11-01T01:00:00Z', finished_at: '2026-11-01T01:00:41Z' }], next_run_on: '2026-12-01' };
	if (key === 'POST invoice-runs') return { id: idOf('run2'), state: 'finished', issued: 12, already: 0, total_ore: 1_830_400, progress: { done: 12, total: 12 }, month: body['month'] };
	if (key === 'GET uninvoiced') return { parties: names.slice(0, 5).map((name, k) => ({ party: { id: idOf(name), name }, charges: 3 + k, total_ore: 42_300 * (k + 1) })), total_ore: 634_500 };
	if (key === 'GET simulation') return { doors: doors.map((door) => ({ id: door.id, name: door.name, facility_name: door.facility.name, municipality: '2401', controller: door.controller })) };
	if (key === 'POST simulation' && last === 'try') return body['pin'] === '471908' ? { granted: true, event: 'granted', why: null, unlock_s: 5 } : { granted: false, event: 'denied', why: 'unknown_pin', unlock_s: null };
	return undefined;
}
