import { dx } from './text.ts';
import type { Command } from './types.ts';

/** What became of an order, in words; why it was refused where staff can do something about it. */
export function answerOf(order: Command): string {
	if (order.state === 'refused') return dx('cmd.state.refused', order.why, 'cmd.state.refused');
	return dx('cmd.state', order.state, 'cmd.state.unknown');
}
