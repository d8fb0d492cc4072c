/** A place on the map. */
export interface Pin {
	key: string;
	lat: number;
	lon: number;
	/** Short, on the map. */
	text: string;
	/** Spoken and in the tooltip. */
	label: string;
	free: boolean;
}
