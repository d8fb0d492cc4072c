/** The rules of a place as sentences. */
import type { RulesView } from '../api/types.ts';
import { duration } from '../format/money.ts';
import { l, ln } from '../i18n/life.ts';
import { locale, t } from '../i18n/text.svelte.ts';

const DAY_MIN = 24 * 60;

function length(minutes: number): string {
	if (minutes >= DAY_MIN && minutes % DAY_MIN === 0) return ln('rules.days', minutes / DAY_MIN);
	return duration(minutes, locale.language, t('unit.h'));
}

/** One sentence for each rule that says something. */
export function rulesInWords(rules: RulesView): string[] {
	const words = [rules.min_min === rules.max_min ? l('rules.exactly', { length: length(rules.min_min) }) : l('rules.length', { least: length(rules.min_min), most: length(rules.max_min) })];
	if (rules.notice_min > 0) words.push(l('rules.notice', { length: length(rules.notice_min) }));
	words.push(ln('rules.horizon', rules.horizon_days));
	if (rules.own_first_days > 0) words.push(ln('rules.own_first', rules.own_first_days));
	if (rules.gap_min > 0) words.push(l('rules.gap', { n: rules.gap_min }));
	if (rules.min_age > 0) words.push(l('rules.age', { n: rules.min_age }));
	if (rules.quota_week !== null) words.push(ln('rules.quota_week', rules.quota_week));
	if (rules.quota_open !== null) words.push(ln('rules.quota_open', rules.quota_open));
	if (rules.needs_approval) words.push(ln('rules.approval', rules.answer_days));
	if (rules.needs_driver) words.push(l('rules.driver'));
	return words;
}
