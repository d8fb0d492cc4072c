/** Resources as people think of them: a whole, then its parts, then theirs. */

interface Node {
	id: string;
	name: string;
	parent_id: string | null;
}

export type Placed<T> = T & { depth: number };

/** Every resource after its parent, siblings by name; one whose parent is not in the list stands as a whole. */
export function inTree<T extends Node>(nodes: readonly T[]): Placed<T>[] {
	const known = new Set(nodes.map((one) => one.id));
	const parentOf = (one: T): string | null => (one.parent_id !== null && known.has(one.parent_id) && one.parent_id !== one.id ? one.parent_id : null);
	const byName = (a: T, b: T): number => a.name.localeCompare(b.name, 'sv', { numeric: true });
	const below = (parent: string | null, depth: number): Placed<T>[] =>
		nodes
			.filter((one) => parentOf(one) === parent)
			.toSorted(byName)
			.flatMap((one) => [{ ...one, depth }, ...below(one.id, depth + 1)]);
	return below(null, 0);
}
