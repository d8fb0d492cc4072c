/** Words for a refusal, from its stable code. */
import type { Problem } from '../api/client.ts';
import { rareProblem } from '../i18n/problems.svelte.ts';
import { t, tx } from '../i18n/text.svelte.ts';

/** What went wrong and what to do about it, in the user's language; empty for the moment its words are fetched. */
export function explain(problem: Problem): string {
	if (problem.status >= 500) return t('problem.server');
	if (problem.code === 'too_many_attempts') {
		return t('problem.too_many_attempts', { n: Math.ceil(Number(problem.body['retry_after_s'] ?? 60) / 60) });
	}
	const often = tx('problem', problem.code, 'problem.other');
	if (often !== t('problem.other')) return often;
	const rare = rareProblem(problem.code);
	return rare === undefined ? '' : (rare ?? (problem.status === 404 ? t('problem.not_found') : t('problem.other')));
}
