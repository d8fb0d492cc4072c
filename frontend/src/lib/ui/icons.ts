/** The icons in use, from Lucide (ISC). Import by file so that only these end up in the bundle. */
import arrowLeft from 'lucide-static/icons/arrow-left.svg?raw';
import ban from 'lucide-static/icons/ban.svg?raw';
import calendarPlus from 'lucide-static/icons/calendar-plus.svg?raw';
import car from 'lucide-static/icons/car-front.svg?raw';
import check from 'lucide-static/icons/check.svg?raw';
import chevronLeft from 'lucide-static/icons/chevron-left.svg?raw';
import chevronRight from 'lucide-static/icons/chevron-right.svg?raw';
import circleAlert from 'lucide-static/icons/circle-alert.svg?raw';
import clock from 'lucide-static/icons/clock.svg?raw';
import dumbbell from 'lucide-static/icons/dumbbell.svg?raw';
import file from 'lucide-static/icons/file-text.svg?raw';
import goal from 'lucide-static/icons/goal.svg?raw';
import hourglass from 'lucide-static/icons/hourglass.svg?raw';
import info from 'lucide-static/icons/info.svg?raw';
import layout from 'lucide-static/icons/layout-grid.svg?raw';
import list from 'lucide-static/icons/list.svg?raw';
import locate from 'lucide-static/icons/locate-fixed.svg?raw';
import lock from 'lucide-static/icons/lock.svg?raw';
import lockOpen from 'lucide-static/icons/lock-open.svg?raw';
import map from 'lucide-static/icons/map.svg?raw';
import mapPin from 'lucide-static/icons/map-pin.svg?raw';
import menu from 'lucide-static/icons/menu.svg?raw';
import moon from 'lucide-static/icons/moon.svg?raw';
import phone from 'lucide-static/icons/phone.svg?raw';
import search from 'lucide-static/icons/search.svg?raw';
import sliders from 'lucide-static/icons/sliders-horizontal.svg?raw';
import snowflake from 'lucide-static/icons/snowflake.svg?raw';
import triangle from 'lucide-static/icons/triangle-alert.svg?raw';
import user from 'lucide-static/icons/user.svg?raw';
import users from 'lucide-static/icons/users.svg?raw';
import volleyball from 'lucide-static/icons/volleyball.svg?raw';
import bike from 'lucide-static/icons/bike.svg?raw';
import packageIcon from 'lucide-static/icons/package.svg?raw';
import waves from 'lucide-static/icons/waves.svg?raw';
import wifiOff from 'lucide-static/icons/wifi-off.svg?raw';
import x from 'lucide-static/icons/x.svg?raw';
import armchair from 'lucide-static/icons/armchair.svg?raw';
import type { Kind } from '../api/types.ts';

export const icons = {
	armchair,
	arrowLeft,
	ban,
	calendarPlus,
	car,
	check,
	chevronLeft,
	chevronRight,
	circleAlert,
	clock,
	dumbbell,
	file,
	goal,
	hourglass,
	info,
	layout,
	list,
	locate,
	lock,
	lockOpen,
	map,
	mapPin,
	menu,
	moon,
	phone,
	search,
	sliders,
	snowflake,
	triangle,
	user,
	users,
	volleyball,
	bike,
	package: packageIcon,
	waves,
	wifiOff,
	x
} as const;

export type IconName = keyof typeof icons;

export const kindIcon: Record<Kind, IconName> = {
	hall: 'dumbbell',
	hall_part: 'layout',
	ice: 'snowflake',
	pitch: 'goal',
	premises: 'armchair',
	vehicle: 'car',
	pool: 'waves',
	court: 'volleyball',
	lane: 'waves',
	bike: 'bike',
	equipment: 'package'
};
