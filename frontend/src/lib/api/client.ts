/** The one place that speaks to the server. A refusal becomes a `Problem` with the server's stable `code`. */

export interface FieldError {
	path: string;
	code: string;
	params?: Record<string, unknown>;
}

export class Problem extends Error {
	readonly status: number;
	readonly code: string;
	readonly fields: FieldError[];
	/** The whole body: refusals carry members of their own, such as `alternatives`. */
	readonly body: Record<string, unknown>;

	constructor(status: number, code: string, body: Record<string, unknown> = {}) {
		super(code);
		this.status = status;
		this.code = code;
		this.fields = Array.isArray(body['errors']) ? (body['errors'] as FieldError[]) : [];
		this.body = body;
	}
}

type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;

let csrf = '';

export function setCsrf(token: string): void {
	csrf = token;
}

/** The address with its query; empty and absent values are left out, lists are repeated. */
export function address(path: string, query: Query = {}): string {
	const pairs = new URLSearchParams();
	for (const [name, value] of Object.entries(query)) {
		for (const one of Array.isArray(value) ? value : [value]) {
			if (one !== null && one !== undefined && one !== '') pairs.append(name, String(one));
		}
	}
	const text = pairs.toString();
	return text ? `${path}?${text}` : path;
}

/** A key to be made once per intent of the user and kept over retries, so that a repeated click creates one thing. */
export function newIntent(): string {
	return crypto.randomUUID();
}

async function problemOf(response: Response): Promise<Problem> {
	let body: Record<string, unknown> = {};
	try {
		body = (await response.json()) as Record<string, unknown>;
	} catch {
		// A proxy may answer with HTML; the status says enough.
	}
	const code = typeof body['code'] === 'string' ? body['code'] : `http_${response.status}`;
	return new Problem(response.status, code, body);
}

async function send<T>(method: string, url: string, body?: unknown, intent?: string, more: RequestInit = {}): Promise<T> {
	const headers = new Headers({ Accept: 'application/json' });
	if (method !== 'GET') headers.set('X-CSRF-Token', csrf);
	if (body !== undefined) headers.set('Content-Type', 'application/json');
	if (intent) headers.set('Idempotency-Key', intent);
	let response: Response;
	try {
		response = await fetch(url, {
			...more,
			method,
			headers,
			credentials: 'same-origin',
			body: body === undefined ? null : JSON.stringify(body)
		});
	} catch (error) {
		if (error instanceof DOMException && error.name === 'AbortError') throw error;
		throw new Problem(0, 'network');
	}
	if (!response.ok) throw await problemOf(response);
	return (response.status === 204 ? undefined : await response.json()) as T;
}

export const api = {
	get: <T>(url: string, signal?: AbortSignal) => send<T>('GET', url, undefined, undefined, signal ? { signal } : {}),
	/** `intent` is for POSTs that create: see `newIntent`. */
	post: <T>(url: string, body: unknown = {}, intent?: string) => send<T>('POST', url, body, intent),
	put: <T>(url: string, body: unknown) => send<T>('PUT', url, body),
	patch: <T>(url: string, body: unknown) => send<T>('PATCH', url, body),
	remove: <T = void>(url: string) => send<T>('DELETE', url),
	/** Sent even while the page is being left. */
	removeOnLeave: (url: string) => void send<void>('DELETE', url, undefined, undefined, { keepalive: true }).catch(() => {})
};

/** Any thrown thing as a `Problem`. */
export function asProblem(error: unknown): Problem {
	return error instanceof Problem ? error : new Problem(0, 'unexpected', { detail: String(error) });
}
