/** Invented data in the shape of the contract, to look at pages with. Never part of a build. */
import { createHash } from 'node:crypto';
import type { FacilityRef, Kind, Municipality, ResourceCard } from '../src/lib/api/types.ts';

export function idOf(name: string): string {
	const h = createHash('sha1').update(name).digest('hex');
	return `${h.slice(0, 8)}-${h.slice(8, 12)}-7${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20, 32)}`;
}

export const municipalities: Municipality[] = [
	{ code: '2401', name: 'Nordmaling', neighbours: ['2284', '2480', '2460'] },
	{ code: '2284', name: 'Örnsköldsvik', neighbours: ['2401'] },
	{ code: '2460', name: 'Vännäs', neighbours: ['2401', '2480'] },
	{ code: '2480', name: 'Umeå', neighbours: ['2401', '2460'] }
];

type Row = [string, Kind, number | null, number | null, number, string?];
const places: { name: string; code: string; address: string; lat: number; lon: number; rows: Row[] }[] = [
	{
		name: 'Hammarhallen', code: '2401', address: 'Kyrkogatan 12, Nordmaling', lat: 63.569, lon: 19.502,
		rows: [['Hela hallen', 'hall', 120, 800, 14100], ['Halva hallen A', 'hall_part', 60, 400, 7100, 'Hela hallen'],
			['Halva hallen B', 'hall_part', 60, 400, 7100, 'Hela hallen'], ['Badmintonbana 1', 'court', 4, 82, 3800, 'Halva hallen A']]
	},
	{
		name: 'Norrskenshallen', code: '2401', address: 'Idrottsvägen 3, Nordmaling', lat: 63.573, lon: 19.488,
		rows: [['Hela hallen', 'hall', 300, 1200, 28200], ['Is', 'ice', 60, 1800, 36900], ['Cafeteria', 'premises', 40, 90, 6400]]
	},
	{
		name: 'Skyttishallen', code: '2284', address: 'Skyttegatan 5, Örnsköldsvik', lat: 63.291, lon: 18.716,
		rows: [['Hela hallen', 'hall', 90, 600, 20700], ['Simbana 1', 'pool', 8, null, 53400]]
	},
	{
		name: 'Husums idrottshall', code: '2284', address: 'Skolvägen 2, Husum', lat: 63.336, lon: 19.152,
		rows: [['Hela hallen', 'hall', 60, 480, 20700], ['Minibuss ÖVK 21', 'vehicle', 9, null, 6000]]
	},
	{
		name: 'Vännäs ishall', code: '2460', address: 'Vegagatan 20, Vännäs', lat: 63.908, lon: 19.757,
		rows: [['Is', 'ice', 60, 1800, 40000], ['Liljaskolans idrottshall', 'hall', 100, 800, 20000]]
	},
	{
		name: 'Udominate Arena', code: '2480', address: 'Ersboda handelsväg 1, Umeå', lat: 63.855, lon: 20.317,
		rows: [['A-hallen', 'hall', 400, 1000, 39000], ['B-hallen', 'hall', 60, 500, 20500], ['B-hallen, judodelen', 'hall_part', 25, 180, 12000, 'B-hallen'],
			['Fotbollsplan 11-manna, konstgräs norra planen vid parkeringen', 'pitch', 80, 7140, 51000]]
	}
];

const slug = (text: string): string =>
	text.toLowerCase().replace(/[åä]/g, 'a').replace(/ö/g, 'o').replace(/[^a-z0-9]+/g, '-');

export const facilities: FacilityRef[] = places.map((place) => ({
	id: idOf(place.name), slug: slug(place.name), name: place.name, address: place.address, lat: place.lat, lon: place.lon,
	municipality: { code: place.code, name: municipalities.find((m) => m.code === place.code)?.name ?? '' }
}));

export const resources: (ResourceCard & { hour_ore: number })[] = places.flatMap((place, index) =>
	place.rows.map(([name, kind, capacity, area_m2, ore, part_of]) => ({
		id: idOf(place.name + name), slug: slug(`${place.name} ${name}`), name, kind, part_of: part_of ?? null, capacity, area_m2,
		facility: facilities[index]!, parent_id: part_of ? idOf(place.name + part_of) : null, hour_ore: ore
	}))
);

export const logins = [
	{ email: 'anna@example.org', password: 'demo-anna-1', name: 'Anna Lind', what: 'Boende i Örnsköldsvik, bokar även för Husums IF' },
	{ email: 'bo@example.org', password: 'demo-bo-1', name: 'Bo Berg', what: 'Anläggningspersonal och ekonomi, Nordmaling' }
];

export const identities = [
	{ party_id: idOf('anna'), kind: 'person' as const, name: 'Anna Lind', home_municipality: '2284' },
	{ party_id: idOf('husums'), kind: 'association' as const, name: 'Husums IF', home_municipality: '2284' }
];
