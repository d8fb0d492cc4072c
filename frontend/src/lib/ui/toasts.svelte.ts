/** Short messages that a screen reader says when it is idle. They never carry what the page does not also show. */

export interface Toast {
	id: number;
	text: string;
	kind: 'ok' | 'error';
}

let shown = $state.raw<Toast[]>([]);
let next = 1;

export const toasts = {
	get all(): Toast[] {
		return shown;
	}
};

export function dismiss(id: number): void {
	shown = shown.filter((toast) => toast.id !== id);
}

/** Shows a message for eight seconds. */
export function toast(text: string, kind: Toast['kind'] = 'ok'): void {
	const id = next++;
	shown = [...shown.slice(-2), { id, text, kind }];
	setTimeout(() => dismiss(id), 8000);
}
