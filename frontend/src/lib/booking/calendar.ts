/** An .ics file made in the browser (RFC 5545). */
import type { Reservation } from '../api/types.ts';

const stamp = (instant: string): string => `${new Date(instant).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
const escaped = (text: string): string => text.replace(/[\\;,]/g, (sign) => `\\${sign}`).replace(/\r?\n/g, '\\n');

/** Lines of at most 75 bytes: longer ones go on after a line break and a space. */
function folded(line: string): string {
	const bytes = new TextEncoder();
	const lines: string[] = [];
	let current = '';
	for (const sign of line) {
		if (bytes.encode(current + sign).length > 74) {
			lines.push(current);
			current = ` ${sign}`;
		} else current += sign;
	}
	return [...lines, current].join('\r\n');
}

/** The booking as one event. The door code is left out: calendars are shared. `address` is the booking's page. */
export function calendarOf(booking: Reservation, address: string, now: number): string {
	const { resource } = booking;
	return [
		'BEGIN:VCALENDAR',
		'VERSION:2.0',
		'PRODID:-//booking//web//SV',
		'BEGIN:VEVENT',
		`UID:${booking.id}@booking`,
		`DTSTAMP:${stamp(new Date(now).toISOString())}`,
		`SEQUENCE:${booking.version}`,
		`DTSTART:${stamp(booking.start)}`,
		`DTEND:${stamp(booking.end)}`,
		`SUMMARY:${escaped(`${resource.facility.name}, ${resource.name}`)}`,
		`LOCATION:${escaped(resource.facility.address)}`,
		`DESCRIPTION:${escaped(`${booking.number}\n${address}`)}`,
		`URL:${address}`,
		'END:VEVENT',
		'END:VCALENDAR',
		''
	]
		.map(folded)
		.join('\r\n');
}

/** Hands the file to the browser. */
export function downloadCalendar(booking: Reservation): void {
	const text = calendarOf(booking, `${location.origin}/b/${booking.id}`, Date.now());
	const link = document.createElement('a');
	link.href = URL.createObjectURL(new Blob([text], { type: 'text/calendar' }));
	link.download = `${booking.number}.ics`;
	link.click();
	URL.revokeObjectURL(link.href);
}
