/** `resource()`: what the server last said at an address, cached by address and refetched when invalidated. */
import { untrack } from 'svelte';
import { api, asProblem, type Problem } from './client.ts';

interface Entry {
	value: unknown;
	at: number;
}

const FRESH_MS = 15_000;
const KEPT = 60;
const cache = new Map<string, Entry>();
const watchers = new Set<{ url: () => string | null; refetch: () => void }>();

/** Forgets addresses that start with `prefix`; pages that show them fetch again. */
export function invalidate(prefix: string): void {
	for (const url of [...cache.keys()]) if (url.startsWith(prefix)) cache.delete(url);
	for (const watcher of [...watchers]) if (watcher.url()?.startsWith(prefix)) watcher.refetch();
}

/** Forgets everything, as at log-in and log-out. */
export function invalidateAll(): void {
	invalidate('');
}

function remember(url: string, value: unknown): void {
	cache.delete(url);
	cache.set(url, { value, at: Date.now() });
	const oldest = cache.keys().next().value;
	if (cache.size > KEPT && oldest !== undefined) cache.delete(oldest);
}

export interface Resource<T> {
	readonly value: T | undefined;
	readonly problem: Problem | null;
	readonly loading: boolean;
	refetch(): void;
	/** Shows an answer that another call already brought. */
	set(value: T): void;
}

/**
 * Follows the address that `url` gives (null = nothing yet). A cached answer shows at once; an old one is
 * refetched behind it. The former answer stays visible while a new address loads.
 */
export function resource<T>(url: () => string | null): Resource<T> {
	let value = $state.raw<T>();
	let problem = $state.raw<Problem | null>(null);
	let loading = $state(true);
	let running: AbortController | null = null;
	let runningFor: string | null = null;
	let again = false;

	async function load(target: string): Promise<void> {
		running?.abort();
		const mine = (running = new AbortController());
		runningFor = target;
		again = false;
		loading = true;
		try {
			const answer = await api.get<T>(target, mine.signal);
			if (mine.signal.aborted) return;
			remember(target, answer);
			value = answer;
			problem = null;
		} catch (error) {
			if (mine.signal.aborted) return;
			problem = asProblem(error);
		}
		loading = false;
		runningFor = null;
		if (again) void load(target);
	}

	/** While the same address is on its way another call waits its turn: polling must not abort a slow answer for ever. */
	function reload(target: string): void {
		if (runningFor === target) again = true;
		else void load(target);
	}

	function refetch(): void {
		const target = untrack(url);
		if (target !== null) reload(target);
	}

	$effect(() => {
		const target = url();
		if (target === null) return;
		const known = cache.get(target);
		untrack(() => {
			problem = null;
			if (known) value = known.value as T;
			if (known && Date.now() - known.at < FRESH_MS) loading = false;
			else void load(target);
		});
		const watcher = { url: () => target, refetch: () => reload(target) };
		watchers.add(watcher);
		return () => {
			watchers.delete(watcher);
			running?.abort();
			runningFor = null;
		};
	});

	return {
		get value() {
			return value;
		},
		get problem() {
			return problem;
		},
		get loading() {
			return loading;
		},
		refetch,
		set(next: T) {
			const target = untrack(url);
			if (target !== null) remember(target, next);
			value = next;
		}
	};
}
