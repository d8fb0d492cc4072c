declare module 'lucide-static/icons/*.svg?raw' {
	const markup: string;
	export default markup;
}
