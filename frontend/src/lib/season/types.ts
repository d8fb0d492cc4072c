/** Names for season rounds on the wire; minutes of the local day, weekday 0 is Monday. */
import type { components } from '../api/schema.d.ts';

type Schemas = components['schemas'];

export type RoundCard = Schemas['RoundCard'];
/** As the server answers: what may be left out of a wish is always there. */
export type RoundRules = Required<Schemas['RoundRules']>;
export type RoundPage = Omit<Schemas['RoundPage'], 'rules'> & { rules: RoundRules };
export type PriorityClass = Schemas['PriorityClass'];
export type Application = Schemas['ApplicationPage'];
export type Plan = Schemas['PlanPage'];
export type Wish = Schemas['WishView'];
export type WishBody = Schemas['WishBody'];
export type Window = Schemas['WindowView'];
export type Allocation = Schemas['AllocationView'];
export type Missing = Schemas['MissingView'];
export type Progress = Schemas['SeasonProgress'];
export type Activity = Wish['activity'];
export const ACTIVITIES: readonly Activity[] = ['indoor_sport', 'outdoor_sport', 'summer_sport', 'exercise', 'culture', 'school', 'other'];
