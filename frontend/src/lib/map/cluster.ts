/** Pins that would cover each other become one. */
import type { Pin } from './pin.ts';

interface Point {
	x: number;
	y: number;
}

export interface Cluster {
	pins: Pin[];
	at: Point;
}

/** Groups pins closer than `reach` pixels to the first of a group; every pin is in exactly one group. */
export function clusters(pins: readonly Pin[], project: (pin: Pin) => Point, reach: number): Cluster[] {
	const groups: Cluster[] = [];
	for (const pin of pins) {
		const at = project(pin);
		const near = groups.find((group) => Math.abs(group.at.x - at.x) < reach && Math.abs(group.at.y - at.y) < reach * 0.7);
		if (near) near.pins.push(pin);
		else groups.push({ pins: [pin], at });
	}
	return groups;
}
