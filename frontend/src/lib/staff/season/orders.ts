/** Priority orders to begin with, as two municipalities publish theirs; staff change the order or take classes away. */
import type { PriorityClass } from '#lib/season/types.ts';

const YOUTH = 20;

export const ORDERS: Record<'indoor' | 'whole' | 'simple', PriorityClass[]> = {
	// Hudiksvall, weekday evenings in all halls.
	indoor: [
		{ sv: 'Ungdom, tävlingssäsong inomhus på vintern', en: 'Youth, competing indoors in winter', kinds: ['association'], activities: ['indoor_sport'], oldest: YOUTH, granted: true },
		{ sv: 'Ungdom, tävlingssäsong utomhus på vintern', en: 'Youth, competing outdoors in winter', kinds: ['association'], activities: ['outdoor_sport'], oldest: YOUTH, granted: true },
		{ sv: 'Motion inomhus', en: 'Exercise indoors', kinds: ['association'], activities: ['indoor_sport', 'outdoor_sport', 'exercise'] },
		{ sv: 'Ungdom, huvudsäsong utomhus på sommaren', en: 'Youth, main season outdoors in summer', kinds: ['association'], activities: ['summer_sport'], oldest: YOUTH, granted: true },
		{ sv: 'Privatpersoners motion', en: 'Private persons', kinds: ['person'] },
		{ sv: 'Företags friskvård', en: 'Companies’ wellness', kinds: ['company'] },
		{ sv: 'Övriga', en: 'Others' }
	],
	// Lerum.
	whole: [
		{ sv: 'Barn och ungdom inomhus, hela säsongen', en: 'Children and youth indoors, whole season', kinds: ['association'], activities: ['indoor_sport'], oldest: YOUTH, whole_season: true },
		{ sv: 'Barn och ungdom, hela säsongen', en: 'Children and youth, whole season', kinds: ['association'], oldest: YOUTH, whole_season: true },
		{ sv: 'Barn och ungdom, del av säsongen', en: 'Children and youth, part of the season', kinds: ['association'], oldest: YOUTH },
		{ sv: 'Övriga föreningar', en: 'Other associations', kinds: ['association'] },
		{ sv: 'Privatpersoner, företag och övriga', en: 'Private persons, companies and others' }
	],
	simple: [
		{ sv: 'Barn och ungdom', en: 'Children and youth', kinds: ['association'], oldest: YOUTH },
		{ sv: 'Övriga föreningar', en: 'Other associations', kinds: ['association'] },
		{ sv: 'Övriga', en: 'Others' }
	]
};
