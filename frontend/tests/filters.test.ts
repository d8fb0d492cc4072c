import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filtersOf, pageAddress, searchAddress } from '../src/lib/search/filters.ts';

const TODAY = '2026-11-22';
const read = (query: string): ReturnType<typeof filtersOf> => filtersOf(new URLSearchParams(query), TODAY);

test('an address survives being read and written', () => {
	const query = '/sok?q=badminton&kind=court&municipality=2401&municipality=2480&neighbours=false&date=2026-11-24&from=17%3A00&to=21%3A00&duration=90&near=63.569%2C19.502&sort=price';
	assert.equal(pageAddress(read(query.split('?')[1] ?? ''), TODAY), query);
	assert.equal(pageAddress(read(''), TODAY), '/sok');
});

test('nonsense in the address is left out', () => {
	const filters = read('kind=castle&date=2020-01-01&from=25:00&duration=7&near=a,b&sort=magic');
	assert.deepEqual(filters, { ...read(''), kind: null });
	assert.equal(filters.date, TODAY);
});

test('the API is asked in its own words, at the price of whoever asks', () => {
	assert.equal(
		searchAddress(read('municipality=2401&date=2026-11-24'), { home: '2284' }, 20),
		'/api/search?municipality=2401&neighbours=true&date=2026-11-24&duration_min=60&limit=20&home=2284'
	);
	assert.match(searchAddress(read('near=63.5,19.5'), {}, 20), /lat=63.5&lon=19.5&sort=distance/);
});
