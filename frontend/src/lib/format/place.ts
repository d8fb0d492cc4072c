/** Where something is, in one line. */
import type { FacilityRef } from '../api/types.ts';

/** The address, with the municipality unless the address already names it. */
export function placeOf(facility: FacilityRef): string {
	const municipality = facility.municipality.name;
	return facility.address.includes(municipality) ? facility.address : `${facility.address}, ${municipality}`;
}
