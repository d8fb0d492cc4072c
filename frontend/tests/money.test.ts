import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance, duration, kronor } from '../src/lib/format/money.ts';

const shown = (ore: number, language: string): string => kronor(ore, language).replace(/[\u00a0\u202f]/g, ' ').replace('−', '-');

test('öre show only when there are any', () => {
	assert.equal(shown(23300, 'sv'), '233 kr');
	assert.equal(shown(679, 'sv'), '6,79 kr');
	assert.equal(shown(1_830_400, 'sv'), '18 304 kr');
	assert.equal(shown(-12340, 'sv'), '-123,40 kr');
	assert.equal(shown(0, 'sv'), '0 kr');
	assert.equal(shown(1_830_450, 'en'), '18,304.50 kr');
});

test('an amount never breaks over two lines', () => {
	assert.ok(!kronor(1_830_400, 'sv').includes(' '));
});

test('distances are as exact as anyone needs', () => {
	assert.equal(distance(340, 'sv'), '350 m');
	assert.equal(distance(1240, 'sv'), '1,2 km');
	assert.equal(distance(24_300, 'sv'), '24 km');
});

test('durations are minutes below an hour', () => {
	assert.equal(duration(30, 'sv', 'tim'), '30 min');
	assert.equal(duration(90, 'sv', 'tim'), '1,5 tim');
	assert.equal(duration(120, 'en', 'h'), '2 h');
});
