/** The rules as fields of a form: how each is written, told in words, and what it comes to when inherited. */
import { plainDate } from '../../format/time.ts';
import { locale, t } from '../../i18n/text.svelte.ts';
import type { RuleSet, RulesView } from '../types.ts';
import { w, wn } from '../work.ts';

export type RuleName = Exclude<keyof RuleSet, 'valid_from'>;
export type RuleKind = 'minutes' | 'days' | 'count' | 'date' | 'yesno' | 'preempt' | 'parties' | 'purposes' | 'terms';
export type RuleValue = number | string | boolean | readonly string[] | null;
export type OwnRules = Record<RuleName, RuleValue>;

export interface RuleField {
	name: RuleName;
	kind: RuleKind;
	min: number;
	max: number;
}
export interface RuleGroup {
	name: 'length' | 'ahead' | 'who' | 'much' | 'approval' | 'rest';
	fields: RuleField[];
}

const field = (name: RuleName, kind: RuleKind, min = 0, max = 0): RuleField => ({ name, kind, min, max });
const MONTH_MIN = 44_640;

export const groups: RuleGroup[] = [
	{ name: 'length', fields: [field('min_min', 'minutes', 5, MONTH_MIN), field('max_min', 'minutes', 5, MONTH_MIN), field('step_min', 'minutes', 5, 1440), field('gap_min', 'minutes', 0, 1440)] },
	{ name: 'ahead', fields: [field('notice_min', 'minutes', 0, MONTH_MIN), field('horizon_days', 'days', 0, 730), field('opens_on', 'date'), field('own_first_days', 'days', 0, 365)] },
	{ name: 'who', fields: [field('kinds', 'parties'), field('purposes', 'purposes'), field('min_age', 'count', 0, 120), field('needs_driver', 'yesno')] },
	{ name: 'much', fields: [field('quota_week', 'count', 1, 1000), field('quota_open', 'count', 1, 1000)] },
	{ name: 'approval', fields: [field('approval', 'yesno'), field('pending_holds', 'yesno'), field('answer_days', 'days', 0, 60)] },
	{ name: 'rest', fields: [field('terms', 'terms'), field('preempt_days', 'preempt', -1, 365)] }
];
export const fields: RuleField[] = groups.flatMap((group) => group.fields);

/** 90 → *1 tim 30 min*, 2880 → *2 dygn*. */
function minutesText(minutes: number): string {
	if (minutes >= 1440 && minutes % 1440 === 0) return wn('unit.nights', minutes / 1440);
	const parts = [minutes >= 60 ? w('unit.h', { n: Math.floor(minutes / 60) }) : '', minutes % 60 || minutes === 0 ? w('unit.min', { n: minutes % 60 }) : ''];
	return parts.filter(Boolean).join(' ');
}

/** The value in words, as it works once nothing is left to inherit. */
export function ruleText(one: RuleField, value: RuleValue): string {
	if (one.kind === 'yesno') return value === true || value === 'required' ? w('yes') : w('no');
	if (one.kind === 'preempt') return value === null || value === -1 ? w('rule.never') : wn('rule.preempt_days', Number(value));
	if (value === null || value === undefined) return w(one.kind === 'parties' || one.kind === 'purposes' ? 'rule.all' : 'rule.none');
	if (one.kind === 'parties') return (value as string[]).map((name) => w(`party.${name as 'person'}`)).join(', ');
	if (one.kind === 'purposes') return (value as string[]).map((name) => t(`purpose.${name as 'training'}`)).join(', ');
	if (one.kind === 'minutes') return minutesText(Number(value));
	if (one.kind === 'days') return wn('unit.days', Number(value));
	if (one.kind === 'date') return plainDate(String(value), locale.language);
	if (one.name === 'min_age') return value === 0 ? w('rule.none') : wn('unit.years', Number(value));
	return String(value);
}

/** What is in force, under the names that an owner's own rules have. */
export function asOwn(view: RulesView): OwnRules {
	const { needs_approval, ...rest } = view;
	return { ...rest, approval: needs_approval ? 'required' : 'none' };
}

/** Rules that say nothing of their own. */
export function blank(): OwnRules {
	return Object.fromEntries(fields.map((one) => [one.name, null])) as OwnRules;
}

export function ownOf(set: RuleSet | undefined): OwnRules {
	if (!set) return blank();
	const { valid_from: _, ...own } = set;
	return own;
}

/** The set of the owner that is in force on a day: the one with the latest first day. */
export function setOn(changes: readonly RuleSet[], day: string): RuleSet | undefined {
	return changes.filter((one) => one.valid_from <= day).toSorted((a, b) => b.valid_from.localeCompare(a.valid_from))[0];
}

export interface RuleDifference {
	field: RuleField;
	before: string;
	after: string;
}

/** What comes out differently when `next` replaces `before`, over what is inherited. */
export function differences(before: OwnRules, next: OwnRules, inherited: OwnRules): RuleDifference[] {
	return fields.flatMap((one) => {
		const was = ruleText(one, before[one.name] ?? inherited[one.name]);
		const becomes = ruleText(one, next[one.name] ?? inherited[one.name]);
		return was === becomes ? [] : [{ field: one, before: was, after: becomes }];
	});
}
