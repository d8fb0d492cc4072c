import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const LIB = join(import.meta.dirname, '../src/lib');
const pairs = ['i18n/', 'i18n/more.', 'i18n/booking.', 'i18n/finding.', 'i18n/series.', 'i18n/life.', 'staff/', 'staff/work.', 'help/', 'doors/entry.', 'doors/', 'doors/codes/', 'doors/setup/', 'season/'];
const read = (file: string): Record<string, string> => JSON.parse(readFileSync(join(LIB, file), 'utf8')) as Record<string, string>;
const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();

for (const pair of pairs) {
	const [sv, en] = [read(`${pair}sv.json`), read(`${pair}en.json`)];

	test(`${pair} has every key in both languages`, () => {
		assert.deepEqual(Object.keys(en).sort(), Object.keys(sv).sort());
	});

	test(`${pair} fills the same holes in both languages, and no text is empty`, () => {
		for (const [key, text] of Object.entries(sv)) {
			assert.ok(text.trim() && en[key]?.trim(), key);
			assert.deepEqual(holes(en[key] ?? ''), holes(text), key);
		}
	});

	test(`${pair} has both forms of every counted text`, () => {
		for (const key of Object.keys(sv)) if (key.endsWith('.one')) assert.ok(key.replace(/one$/, 'other') in sv, key);
	});
}

test('every text is used somewhere', () => {
	const sources = readdirSync(join(LIB, '..'), { recursive: true, encoding: 'utf8' })
		.filter((file) => /\.(svelte|ts)$/.test(file))
		.map((file) => readFileSync(join(LIB, '..', file), 'utf8'))
		.join('\n');
	const prefixes = [...sources.matchAll(/\b(?:t|m|s|h|b|f|w|l|d|e|c)\(`([\w.]+)\.\$\{/g), ...sources.matchAll(/\b[stbfwldec]x\('([\w.]+)'/g)].map((match) => `${match[1]}.`);
	const templated = [...sources.matchAll(/\b(?:t|m|s|h|b|f|w|l|d|e|c)\(`([\w.]+_)\$\{/g)].map((match) => match[1] ?? '');
	const unused = pairs
		.flatMap((pair) => Object.keys(read(`${pair}sv.json`)))
		.filter((key) => {
			const base = key.replace(/\.(one|other)$/, '');
			const literal = sources.includes(`'${key}'`) || sources.includes(`'${base}'`);
			return !literal && ![...prefixes, ...templated].some((prefix) => key.startsWith(prefix));
		});
	assert.deepEqual(unused, []);
});
