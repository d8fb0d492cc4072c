/** How far a change of a series reaches, and what the server answers to a dry run. */
import type { ReservationCard, SeriesCancelPlan, SeriesChangePlan, SeriesPage } from '../api/types.ts';

export type Scope = 'this' | 'following' | 'all';

/** What the scope is about: nothing chosen means the whole series. */
export interface About {
	what: 'change' | 'cancel';
	booking: ReservationCard | null;
}

export type ChangePlan = SeriesChangePlan;
export type CancelPlan = SeriesCancelPlan;

/** The reservation that a scope starts from; the whole series has none. */
export const startOf = (scope: Scope, booking: ReservationCard | null): string | null => (scope === 'all' ? null : (booking?.id ?? null));

/** A booking that can still be changed. */
export function coming(one: ReservationCard, now: number): boolean {
	return ['confirmed', 'requested', 'awaiting_payment'].includes(one.state) && Date.parse(one.start) > now;
}

/** An answer to a change is either the plan of a dry run or the series as it is now. */
export const isPlan = (answer: ChangePlan | SeriesPage): answer is ChangePlan => 'difference_ore' in answer;
