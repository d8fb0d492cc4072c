import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const css = readFileSync(join(import.meta.dirname, '../src/lib/tokens/tokens.css'), 'utf8');
const brand = /--brand-light: (#\w{6})/.exec(css)?.[1] ?? '';
const tokens = new Map(
	[...css.matchAll(/--([\w-]+): light-dark\((#\w{6}|var\(--brand-light\)), (#\w{6})\)/g)].map(([, name, light, dark]) => [
		name ?? '',
		[light?.startsWith('#') ? light : brand, dark ?? ''] as const
	])
);

function luminance(hex: string): number {
	const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
	const [r = 0, g = 0, b = 0] = parts.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string, mode: 0 | 1): number {
	const [high, low] = [luminance(tokens.get(one)![mode]), luminance(tokens.get(other)![mode])].sort((a, b) => b - a) as [number, number];
	return (high + 0.05) / (low + 0.05);
}

const texts: [string, string][] = [
	...['fg', 'muted', 'link', 'brand', 'error'].flatMap((text) => ['bg', 'surface'].map((ground): [string, string] => [text, ground])),
	['fg', 'surface2'],
	['muted', 'surface2'],
	['on-brand', 'brand'],
	['on-brand', 'brand-hover'],
	['fg', 'brand-soft'],
	['muted', 'brand-soft'],
	['brand', 'brand-soft'],
	...['ok', 'warn', 'error', 'info', 'pending', 'block'].flatMap((tone): [string, string][] => [
		[tone, `${tone}-bg`],
		['fg', `${tone}-bg`]
	])
];

test('every text is at least 5.3:1 in light and 6.0:1 in dark', () => {
	for (const [text, ground] of texts) {
		assert.ok(contrast(text, ground, 0) >= 5.3, `${text} on ${ground}, light: ${contrast(text, ground, 0)}`);
		assert.ok(contrast(text, ground, 1) >= 6, `${text} on ${ground}, dark: ${contrast(text, ground, 1)}`);
	}
});

test('edges of controls are at least 3:1', () => {
	for (const ground of ['bg', 'surface', 'surface2']) for (const mode of [0, 1] as const) assert.ok(contrast('control', ground, mode) >= 3, ground);
});
