/** What staff decide about a requested series, with what it sends and what it answers. */
import { api } from '../../api/client.ts';
import type { SeriesDecision } from '../types.ts';

export type SeriesDeed = 'approve' | 'reject';
export type Choice = 'keep' | 'reject';

export interface SeriesWords {
	text: string;
	taken: Choice;
	others: Choice;
}

export async function decide(deed: SeriesDeed, series: string, said: SeriesWords, intent: string): Promise<SeriesDecision> {
	const reason = said.text.trim();
	if (deed === 'reject') return api.post<SeriesDecision>(`/api/series/${series}/reject`, { reason }, intent);
	return api.post<SeriesDecision>(`/api/series/${series}/approve`, { reason: reason || null, taken: said.taken, others: said.others }, intent);
}
