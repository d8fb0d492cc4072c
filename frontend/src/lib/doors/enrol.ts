/** What an administrator writes about a controller's doors, one a line: `d1 Huvudentré`, `+d2 Fack 2`. */
export interface DoorLine {
	wire_id: string;
	name: string;
	kind: 'door' | 'compartment';
}

export const NAME = /^[a-z0-9][a-z0-9-]{1,31}$/;
const LINE = /^(\+?)\s*([a-z0-9][a-z0-9_-]{0,15})\s+(\S.*)$/;

/** The doors, or null where a line can't be read or there is none. */
export function doorLines(text: string): DoorLine[] | null {
	const lines = text.split('\n').map((line) => line.trim()).filter(Boolean);
	const found = lines.map((line) => LINE.exec(line));
	if (found.length === 0 || found.some((match) => match === null)) return null;
	return found.map((match) => ({ wire_id: match?.[2] ?? '', name: match?.[3] ?? '', kind: match?.[1] ? 'compartment' : 'door' }));
}
