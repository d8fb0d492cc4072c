/** Names for what crosses the wire when doors are set up. Grace in whole minutes. */
import type { components } from '../../api/schema.d.ts';

type Schemas = components['schemas'];

export type AccessRules = Schemas['AccessRules'];
export type AccessRule = Schemas['AccessRuleView'];
export type AccessRulesPage = Schemas['AccessRulesPage'];
export type NewAccessRule = Schemas['NewAccessRule'];
export type DoorPolicy = Schemas['DoorPolicy'];
export type Purpose = NonNullable<AccessRule['purpose']>;

export const PURPOSES: readonly Purpose[] = ['training', 'match', 'meeting', 'event', 'private', 'other'];
