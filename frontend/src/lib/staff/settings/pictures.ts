/** A camera's picture made small enough to send: at most 1600 px and 600 kB, as JPEG. */

const LONGEST_PX = 1600;
const LIMIT_BYTES = 600_000;

export interface Picture {
	media_type: 'image/jpeg';
	/** Base64. */
	content: string;
}

/** Null when the file is no picture that the browser can read. */
export async function shrink(file: File): Promise<Picture | null> {
	const bitmap = await createImageBitmap(file).catch(() => null);
	if (!bitmap) return null;
	for (const longest of [LONGEST_PX, 1200, 800]) {
		const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
		const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
		canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
		const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.82 });
		if (blob.size <= LIMIT_BYTES) return { media_type: 'image/jpeg', content: base64(new Uint8Array(await blob.arrayBuffer())) };
	}
	return null;
}

function base64(bytes: Uint8Array): string {
	let text = '';
	for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
	return btoa(text);
}
