/** Kinds of events as the lock protocol names them (§7), in the order staff look for them. */
export const kinds = ['granted', 'denied', 'forced', 'held', 'lockout', 'opened', 'closed', 'rex', 'mode', 'tamper', 'power', 'fire', 'duress', 'armed', 'disarmed', 'clock', 'stale', 'boot'] as const;
