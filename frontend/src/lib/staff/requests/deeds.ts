/** What staff do with a request, each with what it sends. */
import { api } from '../../api/client.ts';
import { instantOf } from '../../format/time.ts';
import type { RequestCard } from '../types.ts';

export type Deed = 'approve' | 'reject' | 'propose' | 'message';

export interface Said {
	text: string;
	others: 'keep' | 'reject';
	resource: string;
	date: string;
	from: string;
	to: string;
}

/** The instants of a local time; an end at or before the start is on the day after. */
function spanOfClock(date: string, from: string, to: string): { start: string; end: string } {
	const start = instantOf(date, from);
	const end = instantOf(date, to);
	return { start: new Date(start).toISOString(), end: new Date(end > start ? end : end + 86_400_000).toISOString() };
}

export async function perform(deed: Deed, request: RequestCard, said: Said, intent: string): Promise<void> {
	const text = said.text.trim();
	if (deed === 'approve') await api.post(`/api/requests/${request.id}/approve`, { reason: text || null, others: said.others }, intent);
	else if (deed === 'reject') await api.post(`/api/requests/${request.id}/reject`, { reason: text }, intent);
	else if (deed === 'message') await api.post(`/api/reservations/${request.id}/messages`, { text }, intent);
	else await api.post(`/api/requests/${request.id}/propose`, { text, resource_id: said.resource, ...spanOfClock(said.date, said.from, said.to) }, intent);
}
