/** How a booking looks and is read out on the timeline. */
import type { TimelineBooking } from '../api/types.ts';
import { clockRange } from '../format/time.ts';
import { locale, t, tx } from '../i18n/text.svelte.ts';
import { s } from '../staff/text.ts';
import type { IconName } from '../ui/icons.ts';

export interface BarLook {
	tone: 'ok' | 'warn' | 'error' | 'block' | 'pending' | 'hatched';
	icon: IconName | null;
}

/** Tone and icon: closed, asked for, unpaid, code refused, code not yet in the door, over, or plainly confirmed. */
export function barLook(booking: TimelineBooking): BarLook {
	if (booking.kind === 'block') return { tone: 'hatched', icon: 'ban' };
	if (booking.state === 'requested') return { tone: 'pending', icon: 'hourglass' };
	if (booking.access_state === 'rejected') return { tone: 'error', icon: 'circleAlert' };
	if (booking.state === 'awaiting_payment') return { tone: 'warn', icon: 'hourglass' };
	if (booking.state === 'completed') return { tone: 'block', icon: 'check' };
	const waiting = booking.access_state === 'sealed' || booking.access_state === 'on_broker';
	return { tone: 'ok', icon: waiting ? 'clock' : null };
}

/** *Gymnastiksal 1, 09:05–11:30, Skola åk 4, bekräftad, koden är i dörren* */
export function spoken(booking: TimelineBooking, resource: string): string {
	const words = [
		resource,
		clockRange(booking.start, booking.end, locale.language),
		booking.title,
		booking.party_name,
		booking.kind === 'block' ? s('timeline.closed') : t(`state.${booking.state}`).toLowerCase(),
		booking.access_state && tx('code.short', booking.access_state, 'code.short.planned').toLowerCase()
	];
	return words.filter(Boolean).join(', ');
}
