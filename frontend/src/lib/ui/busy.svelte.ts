/** One action of the user at a time. */
import { asProblem, type Problem } from '../api/client.ts';

export interface Busy {
	readonly now: boolean;
	readonly problem: Problem | null;
	/** Runs the action unless one is running; a refusal is kept in `problem` and given to `refused`. */
	run(action: () => Promise<void>, refused?: (problem: Problem) => void): Promise<void>;
	clear(): void;
}

export function busy(): Busy {
	let now = $state(false);
	let problem = $state.raw<Problem | null>(null);
	return {
		get now() {
			return now;
		},
		get problem() {
			return problem;
		},
		async run(action, refused) {
			if (now) return;
			now = true;
			problem = null;
			try {
				await action();
			} catch (error) {
				problem = asProblem(error);
				refused?.(problem);
			} finally {
				now = false;
			}
		},
		clear() {
			problem = null;
		}
	};
}
