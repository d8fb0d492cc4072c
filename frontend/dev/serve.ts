/** Serves the built pages with a strict policy and an invented API: `npm run mock -- --port 8765`. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { answer, streams, Refusal } from './routes.ts';

const ROOT = join(import.meta.dirname, '../../booking/web/dist');
const port = Number(process.argv[process.argv.indexOf('--port') + 1] || 8765) || 8765;
const types: Record<string, string> = {
	'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
	'.woff2': 'font/woff2', '.json': 'application/json', '.webmanifest': 'application/manifest+json'
};

async function bodyOf(request: IncomingMessage): Promise<unknown> {
	let text = '';
	for await (const chunk of request) text += String(chunk);
	return text ? JSON.parse(text) : {};
}

async function serveApi(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
	if (url.pathname === '/api/events') {
		response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
		response.write(': hello\n\n');
		const send = (text: string): void => void response.write(text);
		streams.add(send);
		request.on('close', () => streams.delete(send));
		return;
	}
	try {
		const found = answer(request.method ?? 'GET', url, (await bodyOf(request)) as Record<string, unknown>);
		response.writeHead(found === undefined ? 204 : 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
		response.end(found === undefined ? '' : JSON.stringify(found));
	} catch (error) {
		const refusal = error instanceof Refusal ? error : new Refusal(500, 'server', { detail: String(error) });
		if (!(error instanceof Refusal)) console.error(error);
		response.writeHead(refusal.status, { 'Content-Type': 'application/problem+json' });
		response.end(JSON.stringify({ status: refusal.status, code: refusal.code, ...refusal.more }));
	}
}

async function serveFile(response: ServerResponse, path: string): Promise<void> {
	const shell = await readFile(join(ROOT, '200.html'), 'utf8');
	const hashes = [...shell.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
		([, code]) => `'sha256-${createHash('sha256').update(code ?? '').digest('base64')}'`
	);
	const policy = `default-src 'self'; script-src 'self' ${hashes.join(' ')}; img-src 'self' data:; object-src 'none'; base-uri 'self'`;
	const file = extname(path) ? join(ROOT, normalize(path)) : join(ROOT, '200.html');
	try {
		const content = await readFile(file);
		response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': policy });
		response.end(content);
	} catch {
		response.writeHead(404).end();
	}
}

createServer((request, response) => {
	const url = new URL(request.url ?? '/', 'http://localhost');
	void (url.pathname.startsWith('/api/') ? serveApi(request, response, url) : serveFile(response, url.pathname));
}).listen(port, '127.0.0.1', () => console.log(`mock of the API and the built pages: http://127.0.0.1:${port}`));
