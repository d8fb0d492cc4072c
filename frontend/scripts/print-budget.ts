/** Prints what a phone downloads for a resident's page (gzip, without the lazily loaded map) and, with `--strict`, fails above the limit. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT_KIB = 60;
const DIST = join(import.meta.dirname, '../../booking/web/dist');
const MANIFEST = join(import.meta.dirname, '../.svelte-kit/output/client/.vite/manifest.json');
const ROUTES = ['(public)/', '(public)/sok', '(public)/h/[slug]', '(public)/boka/[hold]', '(public)/b/[id]', '(account)/mina'];

interface Chunk {
	file: string;
	imports?: string[];
	css?: string[];
	src?: string;
}
const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as Record<string, Chunk>;

function collect(key: string, files: Set<string>, styles: Set<string>): void {
	const chunk = manifest[key];
	if (!chunk || files.has(chunk.file)) return;
	files.add(chunk.file);
	for (const style of chunk.css ?? []) styles.add(style);
	for (const next of chunk.imports ?? []) collect(next, files, styles);
}

function kilobytes(files: Iterable<string>): number {
	return [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(DIST, file))).length, 0) / 1024;
}

const entries = Object.entries(manifest).filter(([, chunk]) => /\/(start|app)\./.test(chunk.file)).map(([key]) => key);
const nodes = join(import.meta.dirname, '../.svelte-kit/generated/build/client-optimized/nodes');
const nodeKeys = Object.keys(manifest).filter((key) => /nodes\/\d+\.js$/.test(key));
if (entries.length === 0 || nodeKeys.length === 0) throw new Error('The build manifest has another shape than expected; correct scripts/print-budget.ts.');
const nodeOf = (page: string): string | undefined =>
	nodeKeys.find((key) => {
		const source = readdirSync(nodes).includes(key.split('/').at(-1) ?? '') ? readFileSync(join(nodes, key.split('/').at(-1) ?? ''), 'utf8') : '';
		return source.includes(`routes/${page}+page.svelte`);
	});

let over = false;
for (const route of ROUTES) {
	const [files, styles] = [new Set<string>(), new Set<string>()];
	for (const key of [...entries, nodeOf(''), nodeKeys.find((one) => one.endsWith('/0.js')), nodeOf(route.endsWith('/') ? route : `${route}/`)]) {
		if (key) collect(key, files, styles);
	}
	const size = kilobytes(files);
	over ||= size > LIMIT_KIB;
	console.log(`${route.padEnd(24)} JS ${size.toFixed(1).padStart(5)} KiB gz, CSS ${kilobytes(styles).toFixed(1).padStart(5)} KiB gz${size > LIMIT_KIB ? `  over ${LIMIT_KIB} KiB` : ''}`);
}
if (over && process.argv.includes('--strict')) process.exit(1);
