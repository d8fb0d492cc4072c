import { readFileSync } from 'node:fs';
import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig, type Plugin } from 'vite';

/** Kit's live region carries an inline style, which our Content-Security-Policy refuses; a class does the same. */
const announcerWithoutInlineStyle: Plugin = {
	name: 'announcer-without-inline-style',
	enforce: 'pre',
	transform(code, id) {
		if (!id.includes('@sveltejs/kit') || !id.endsWith('root.svelte')) return null;
		return code.replace(/style="position: absolute[^"]*"/, 'class="visually-hidden"');
	}
};

/** Icons lose the licence comment (kept in the package) and the attributes that `Icon.svelte` sets for all of them. */
const smallIcons: Plugin = {
	name: 'small-icons',
	enforce: 'pre',
	load(id) {
		const path = id.split('?')[0] ?? '';
		if (!path.includes('lucide-static') || !path.endsWith('.svg')) return null;
		const drawing = readFileSync(path, 'utf8').replace(/^[\s\S]*?<svg[^>]*>/, '').replace('</svg>', '');
		return `export default ${JSON.stringify(drawing.replace(/\s*\n\s*/g, '').trim())};`;
	}
};

const LOADED_ON_DEMAND = /\/lib\/(staff|timeline|schedule-core|map|account|series|life|doors)\/|\/(more|series|life|problems)\./;
const isShared = (id: string): boolean => /\/src\/lib\//.test(id) && !LOADED_ON_DEMAND.test(id);

export default defineConfig({
	plugins: [
		announcerWithoutInlineStyle,
		smallIcons,
		sveltekit({
			adapter: adapter({ pages: '../booking/web/dist', assets: '../booking/web/dist', fallback: '200.html' }),
			compilerOptions: {
				// Shorter than Svelte's own names, which a phone would download a thousand times over.
				cssHash: ({ hash, filename }) => `s${hash(filename).slice(0, 4)}`,
				runes: ({ filename }) => (filename.includes('node_modules') ? undefined : true)
			}
		})
	],
	build: {
		target: 'es2023',
		assetsInlineLimit: 0,
		// The lists of what a part on demand needs in turn would be most of what they cost a page that never opens one.
		modulePreload: { polyfill: false, resolveDependencies: (_, needed) => needed.filter((file) => file.endsWith('.css')) },
		rolldownOptions: {
			// What every page needs travels as one file: a dozen small ones compress worse and cost requests.
			output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 17, test: isShared }] } }
		}
	},
	server: {
		proxy: { '/api': process.env['BOOKING_API'] ?? 'http://127.0.0.1:8765' }
	}
});
