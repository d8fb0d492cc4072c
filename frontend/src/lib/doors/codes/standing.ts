/** Standing codes: how one stands now, in words, and what a wish for one lacks. */
import type { components } from '../../api/schema.d.ts';
import { addDays, dateOf, instantOf, weekdayName } from '../../format/time.ts';

type Schemas = components['schemas'];

export type Standing = Schemas['CredentialView'];
export type StandingList = Schemas['Credentials'];
export type StandingWish = Schemas['NewCredentialWish'];
export type MadeStanding = Schemas['NewCredential'];
export type Weekly = Schemas['Weekly'];
export type Associations = Schemas['Associations'];
export type StandingState = 'revoked' | 'over' | 'later' | 'until' | 'now';

export const CARD = /^[0-9A-F]{8,20}$/;
export const MONTH_DAY = /^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$/;
export const WEEK = [0, 1, 2, 3, 4, 5, 6];

export function stateOf(one: Standing, now: number = Date.now()): StandingState {
	if (one.revoked_at) return 'revoked';
	if (one.valid_to && Date.parse(one.valid_to) <= now) return 'over';
	if (Date.parse(one.valid_from) > now) return 'later';
	return one.valid_to ? 'until' : 'now';
}

/** True when nobody can open with it any more, whatever a door may still hold. */
export const isOver = (one: Standing): boolean => ['revoked', 'over'].includes(stateOf(one));

/** A local date as the instant it begins; the day after for a last day that is included. */
export const startOf = (date: string): string => new Date(instantOf(date, '00:00')).toISOString();
export const endOf = (date: string): string => startOf(addDays(date, 1));

/** `mån–fre` or `tis, tors`: the days of a stretch, runs of three and more joined. */
export function daysText(weekdays: readonly number[], language: string): string {
	const name = (day: number): string => weekdayName(addDays('2024-01-01', day), language);
	const runs: number[][] = [];
	for (const day of weekdays.toSorted((a, b) => a - b)) {
		const last = runs.at(-1);
		if (last && last.at(-1) === day - 1) last.push(day);
		else runs.push([day]);
	}
	return runs.map((run) => (run.length > 2 ? `${name(run[0] ?? 0)}–${name(run.at(-1) ?? 0)}` : run.map(name).join(', '))).join(', ');
}

/** The last day on which it is valid. */
export const lastDay = (validTo: string): string => dateOf(Date.parse(validTo) - 1);
