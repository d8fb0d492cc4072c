/** Keeps a page current: by events when the stream works, by polling when it does not. */
import { listen, onStatus } from './events.ts';

const POLL_MS = 5_000;

/**
 * Refetches on every change of the topic while the component lives. Without a working stream it polls every
 * five seconds, or every `eager()` ms while that is not null.
 */
export function follow(topic: () => string | null, refetch: () => void, eager: () => number | null = () => null): void {
	let online = $state(false);

	$effect(() => {
		const name = topic();
		if (!name) return;
		const stopEvents = listen(name, () => refetch());
		const stopStatus = onStatus((now) => {
			if (now && !online) refetch();
			online = now;
		});
		return () => {
			stopEvents();
			stopStatus();
		};
	});

	$effect(() => {
		const pause = eager() ?? (online ? null : POLL_MS);
		if (!topic() || pause === null) return;
		const timer = setInterval(() => {
			if (document.visibilityState === 'visible') refetch();
		}, pause);
		return () => clearInterval(timer);
	});
}
