/** Remembers, in this tab, that a payment is to be opened once, so that coming back from it does not open it again. */

const name = (reservation: string): string => `checkout:${reservation}`;

export function expectCheckout(reservation: string): void {
	sessionStorage.setItem(name(reservation), '1');
}

/** True once after `expectCheckout`. */
export function takeCheckout(reservation: string): boolean {
	const expected = sessionStorage.getItem(name(reservation)) !== null;
	sessionStorage.removeItem(name(reservation));
	return expected;
}

export function checkoutExpected(reservation: string): boolean {
	return sessionStorage.getItem(name(reservation)) !== null;
}
