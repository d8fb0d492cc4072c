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

export default defineConfig({
	plugins: [
		announcerWithoutInlineStyle,
		sveltekit({
			adapter: adapter({ pages: '../booking/web/dist', assets: '../booking/web/dist', fallback: '200.html' }),
			compilerOptions: {
				runes: ({ filename }) => (filename.includes('node_modules') ? undefined : true)
			}
		})
	],
	build: { target: 'es2023', assetsInlineLimit: 0 },
	server: {
		proxy: { '/api': process.env['BOOKING_API'] ?? 'http://127.0.0.1:8765' }
	}
});
