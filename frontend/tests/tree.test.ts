import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTree } from '../src/lib/facility/tree.ts';

const node = (id: string, parent_id: string | null): { id: string; name: string; parent_id: string | null } => ({ id, name: id, parent_id });

test('a whole comes before its parts, and orphans are wholes', () => {
	const nodes = [node('B', 'Hall'), node('Court 10', 'A'), node('A', 'Hall'), node('Court 2', 'A'), node('Hall', null), node('Orphan', 'elsewhere')];
	assert.deepEqual(
		inTree(nodes).map((one) => `${one.depth} ${one.name}`),
		['0 Hall', '1 A', '2 Court 2', '2 Court 10', '1 B', '0 Orphan']
	);
});
