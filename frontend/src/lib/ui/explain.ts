/** Words for a refusal, from its stable code. */
import type { Problem } from '../api/client.ts';
import { t, tx } from '../i18n/text.svelte.ts';

/** What went wrong and what to do about it, in the user's language. */
export function explain(problem: Problem): string {
	if (problem.status >= 500) return t('problem.server');
	if (problem.code === 'too_many_attempts') {
		return t('problem.too_many_attempts', { n: Math.ceil(Number(problem.body['retry_after_s'] ?? 60) / 60) });
	}
	return tx('problem', problem.code, problem.status === 404 ? 'problem.not_found' : 'problem.other');
}
