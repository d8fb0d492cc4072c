/** Taking a time: a tap becomes a hold, or an explanation with other times. */
import { goto } from '$app/navigation';
import { api, newIntent } from '../api/client.ts';
import { invalidate } from '../api/resource.svelte.ts';
import type { Alternatives, Hold, Purpose } from '../api/types.ts';
import { whose } from '../session/session.svelte.ts';
import { busy, type Busy } from '../ui/busy.svelte.ts';

export interface Slot {
	resource_id: string;
	start: string;
	end: string;
	purpose?: Purpose;
	together?: string[];
	equipment?: { resource_id: string; count: number }[];
}

export interface Holding {
	readonly busy: Busy;
	/** The slot being taken, for a mark on its button. */
	readonly slot: Slot | null;
	/** Other times, when someone else was faster. */
	readonly alternatives: Alternatives | null;
	take(slot: Slot): Promise<void>;
	dismiss(): void;
}

/** The alternatives that a refusal carries, or null. */
export function alternativesIn(body: Record<string, unknown>): Alternatives | null {
	const found = body['alternatives'] as Partial<Alternatives> | undefined;
	return found?.same_resource && found.other_resources ? (found as Alternatives) : null;
}

export function holding(): Holding {
	const work = busy();
	let slot = $state.raw<Slot | null>(null);
	let alternatives = $state.raw<Alternatives | null>(null);

	return {
		busy: work,
		get slot() {
			return work.now ? slot : null;
		},
		get alternatives() {
			return alternatives;
		},
		async take(wanted) {
			slot = wanted;
			await work.run(
				async () => {
					const hold = await api.post<Hold>('/api/holds', { ...wanted, ...whose() }, newIntent());
					alternatives = null;
					await goto(`/boka/${hold.id}`);
				},
				(problem) => {
					invalidate('/api/search');
					invalidate('/api/resources/');
					if (problem.code === 'slot_taken') {
						alternatives = alternativesIn(problem.body) ?? { same_resource: [], other_resources: [] };
					}
				}
			);
		},
		dismiss() {
			alternatives = null;
			work.clear();
		}
	};
}
