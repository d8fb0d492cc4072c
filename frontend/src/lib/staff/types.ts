/** Names for what staff read and write. Money is öre, instants are UTC. */
import type { components } from '../api/schema.d.ts';

type Schemas = components['schemas'];

export type RequestCard = Schemas['RequestCard'];
export type RequestList = Schemas['RequestList'];
export type SeriesRequest = Schemas['SeriesRequest'];
export type SeriesDecision = Schemas['SeriesDecision'];
export type RequestMessage = Schemas['MessageView'];
export type Conflict = Schemas['ConflictView'];

export type Tree = Schemas['Tree'];
export type TreeFacility = Schemas['TreeFacility'];
export type TreeResource = Schemas['TreeResource'];
export type RulesPage = Schemas['RulesPage'];
export type RulesView = Schemas['RulesView'];
export type RuleSet = Schemas['RuleSetView'];
export type Hours = Schemas['Hours'];
export type Schedule = Schemas['ScheduleView'];
export type WeekStretch = Schemas['WeekHours'];
export type DayPreview = Schemas['DayPreview'];
export type ResourceSettings = Schemas['ResourceSettings'];
export type SchoolBreaks = Schemas['SchoolBreaks'];
export type TermsVersions = Schemas['TermsVersions'];
export type Level = 'municipalities' | 'facilities' | 'resources';

export type WaitingList = Schemas['WaitingList'];
export type Driver = Schemas['DriverView'];
export type Damages = Schemas['Damages'];
export type Trip = Schemas['TripView'];
export type MessageCard = Schemas['MessageCard'];
export type MessageList = Schemas['MessageList'];
export type MessagePage = Schemas['MessagePage'];
export type EndpointList = Schemas['EndpointList'];
export type Endpoint = Schemas['EndpointView'];
export type DeliveryList = Schemas['DeliveryList'];
