/** States of a booking, its payment and its code, as tags: a tone, an icon and a word, never colour alone. */
import type { AccessState, PaymentState, ReservationState } from '../api/types.ts';
import type { IconName } from '../ui/icons.ts';
import type { Tone } from '../ui/Tag.svelte';

export type Look = readonly [tone: Tone, icon: IconName];

export const reservationLook: Record<ReservationState, Look> = {
	requested: ['pending', 'hourglass'],
	awaiting_payment: ['warn', 'hourglass'],
	confirmed: ['ok', 'check'],
	cancelled: ['block', 'ban'],
	completed: ['plain', 'check'],
	expired: ['block', 'ban'],
	rejected: ['error', 'ban']
};

export const paymentLook: Record<PaymentState, Look> = {
	none: ['plain', 'check'],
	pending: ['warn', 'hourglass'],
	paid: ['ok', 'check'],
	refund_pending: ['pending', 'hourglass'],
	refunded: ['info', 'check'],
	to_invoice: ['info', 'file'],
	invoiced: ['info', 'file'],
	failed: ['error', 'circleAlert']
};

export const accessLook: Record<AccessState, Look> = {
	planned: ['pending', 'clock'],
	sealed: ['pending', 'hourglass'],
	on_broker: ['pending', 'hourglass'],
	applied: ['ok', 'check'],
	active: ['ok', 'lockOpen'],
	used: ['ok', 'lockOpen'],
	ended: ['block', 'lock'],
	removing: ['pending', 'hourglass'],
	removed_confirmed: ['block', 'lock'],
	rejected: ['error', 'circleAlert']
};

/** True while the code is known to work at the door. */
export function inDoor(state: AccessState): boolean {
	return state === 'applied' || state === 'active' || state === 'used';
}

/** True while the code is still on its way. */
export function onItsWay(state: AccessState): boolean {
	return state === 'planned' || state === 'sealed' || state === 'on_broker';
}
