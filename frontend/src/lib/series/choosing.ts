/** Pure: which times of a previewed series are to be booked, and what they cost. */
import type { ChosenTime, PreviewOccurrence } from '../api/types.ts';

/** By the occurrence's start: `own` takes it as it is, `other` takes its alternative. Absent: left out. */
export type Choices = ReadonlyMap<string, 'own' | 'other'>;

export const bookable = (one: PreviewOccurrence): boolean => one.left_out === null && (one.status === 'free' || one.status === 'request');

/** An occurrence that can't be had as it is and that nobody has settled. */
export const open = (one: PreviewOccurrence): boolean => one.left_out === null && !bookable(one);

/** Everything that can be had as it is. */
export function asOffered(occurrences: readonly PreviewOccurrence[]): Choices {
	return new Map(occurrences.filter(bookable).map((one) => [one.start, 'own']));
}

/** The same choices for a new preview: what can no longer be had falls away. */
export function carriedOver(before: Choices, known: ReadonlySet<string>, occurrences: readonly PreviewOccurrence[]): Choices {
	const next = new Map<string, 'own' | 'other'>();
	for (const one of occurrences) {
		const was = before.get(one.start);
		if (!known.has(one.start)) {
			if (bookable(one)) next.set(one.start, 'own');
		} else if (was === 'own' && bookable(one)) next.set(one.start, 'own');
		else if (was === 'other' && one.alternative) next.set(one.start, 'other');
	}
	return next;
}

export interface Sum {
	chosen: number;
	unsolved: number;
	total_ore: number;
}

export function sumOf(occurrences: readonly PreviewOccurrence[], choices: Choices): Sum {
	let [chosen, unsolved, total] = [0, 0, 0];
	for (const one of occurrences) {
		const how = choices.get(one.start);
		if (how === 'own') total += one.price_ore ?? 0;
		if (how === 'other') total += one.alternative?.price_ore ?? 0;
		if (how) chosen += 1;
		else if (open(one)) unsolved += 1;
	}
	return { chosen, unsolved, total_ore: total };
}

/** The list to book. */
export function timesOf(occurrences: readonly PreviewOccurrence[], choices: Choices): ChosenTime[] {
	return occurrences.flatMap((one): ChosenTime[] => {
		const how = choices.get(one.start);
		if (how === 'own') return [{ start: one.start, end: one.end }];
		const other = one.alternative;
		return how === 'other' && other ? [{ start: other.start, end: other.end, resource_id: other.resource.id, instead_of: one.start }] : [];
	});
}
