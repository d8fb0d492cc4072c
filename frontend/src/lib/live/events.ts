/**
 * Server-sent events: one connection per browser. Six open streams block every other request on HTTP/1.1, so
 * the tabs elect a leader by a Web Lock; the leader listens for the topics of all tabs and passes changes on.
 */
import type { Change } from '../api/types.ts';
import { address } from '../api/client.ts';

type Listener = (change: Change | 'resync') => void;
type Message =
	| { type: 'want'; tab: string; topics: string[] }
	| { type: 'who' }
	| { type: 'change'; change: Change | 'resync' }
	| { type: 'online'; online: boolean };

const RETRY_MS = 3_000;
const tab = crypto.randomUUID();
const listeners = new Map<string, Set<Listener>>();
const wanted = new Map<string, string[]>();
const statusListeners = new Set<(online: boolean) => void>();
let channel: BroadcastChannel | null = null;
let leading = false;
let source: EventSource | null = null;
let sourceTopics = '';

function tell(message: Message): void {
	channel?.postMessage(message);
}

function deliver(change: Change | 'resync'): void {
	for (const [topic, set] of listeners) {
		if (change === 'resync' || change.topic === topic) for (const listener of [...set]) listener(change);
	}
}

function setOnline(online: boolean): void {
	for (const listener of statusListeners) listener(online);
}

function spread(message: Message): void {
	tell(message);
	receive(message);
}

function receive(message: Message): void {
	if (message.type === 'change') deliver(message.change);
	else if (message.type === 'online') setOnline(message.online);
	else if (message.type === 'who') announce();
	else {
		wanted.set(message.tab, message.topics);
		if (leading) connect();
	}
}

function announce(): void {
	spreadWant();
}

function spreadWant(): void {
	const topics = [...listeners.keys()];
	wanted.set(tab, topics);
	tell({ type: 'want', tab, topics });
	if (leading) connect();
}

/** Opens, changes or closes the stream so that it carries what the tabs want; a no-op when it already does. */
function connect(): void {
	const topics = [...new Set([...wanted.values()].flat())].sort().join(',');
	if (topics === sourceTopics && source && source.readyState !== EventSource.CLOSED) return;
	source?.close();
	source = null;
	sourceTopics = topics;
	if (!topics) return;
	const opened = (source = new EventSource(address('/api/events', { topics })));
	opened.onopen = () => spread({ type: 'online', online: true });
	opened.addEventListener('change', (event: MessageEvent<string>) =>
		spread({ type: 'change', change: JSON.parse(event.data) as Change })
	);
	opened.addEventListener('resync', () => spread({ type: 'change', change: 'resync' }));
	opened.onerror = () => {
		spread({ type: 'online', online: false });
		// The browser retries a lost connection by itself, but gives up after an error status.
		if (opened.readyState === EventSource.CLOSED) setTimeout(() => source === opened && connect(), RETRY_MS);
	};
}

function start(): void {
	if (channel) return;
	channel = new BroadcastChannel('live');
	channel.onmessage = (event: MessageEvent<Message>) => receive(event.data);
	const lead = (): Promise<never> => {
		leading = true;
		tell({ type: 'who' });
		connect();
		return new Promise(() => {});
	};
	if (navigator.locks) void navigator.locks.request('live-leader', lead);
	else void lead();
	addEventListener('pagehide', () => tell({ type: 'want', tab, topics: [] }));
	addEventListener('pageshow', (event) => event.persisted && spreadWant());
}

/** Calls `listener` on every change of the topic, and on `resync` when changes may have been missed. Returns the way to stop. */
export function listen(topic: string, listener: Listener): () => void {
	start();
	const set = listeners.get(topic) ?? new Set<Listener>();
	set.add(listener);
	listeners.set(topic, set);
	spreadWant();
	return () => {
		set.delete(listener);
		if (set.size === 0) listeners.delete(topic);
		spreadWant();
	};
}

/** Calls `listener` when the stream opens or is lost. Returns the way to stop. */
export function onStatus(listener: (online: boolean) => void): () => void {
	statusListeners.add(listener);
	return () => statusListeners.delete(listener);
}
