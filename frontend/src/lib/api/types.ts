/** The names the pages use for what crosses the wire, made from schema.d.ts (`./run types`). Money is öre, instants are UTC. */
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type Kind = ResourceCard['kind'];
export type Purpose = Hold['purpose'];
export type Role = Schemas['Role'];

export type Identity = Schemas['Identity'];
export type Me = Schemas['MeView'];
export type DemoLogin = Schemas['DemoLogin'];
export type Municipality = Schemas['Neighbourhood'];
export type Theme = Schemas['Theme'];

export type FacilityRef = Schemas['FacilityRef'];
export type FacilityPage = Schemas['FacilityPage'];
export type ResourceCard = Schemas['ResourceCard'];

export type PriceLine = Schemas['PriceLine'];
export type Price = Schemas['PriceView'];
export type FreeStart = Schemas['FreeStart'];

export type SearchResult = Schemas['Hit'];
export type Facet = Schemas['Facet'];
export type SearchAnswer = Schemas['SearchPage'];
/** Another time or place for the same wish. */
export type NextFree = Schemas['Suggestion'];

export type Interval = Schemas['Interval'];
export type Start = Schemas['DayStart'];
export type DayAvailability = Schemas['Day'];
export type Availability = Schemas['Days'];

export type Hold = Schemas['Held'];
export type PayMethod = Hold['pay_methods'][number];
/** What a 409 `slot_taken` or `hold_expired` carries; problem documents' extra members are not in the document. */
export interface Alternatives {
	same_resource: NextFree[];
	other_resources: NextFree[];
}

export type ReservationCard = Schemas['ReservationCard'];
export type Reservation = Schemas['ReservationPage'];
export type ReservationState = ReservationCard['state'];
export type PaymentState = ReservationCard['payment_state'];
export type AccessDoor = Schemas['AccessDoor'];
export type Access = Schemas['AccessView'];
export type AccessState = Access['state'];

export type ResourcePage = Schemas['ResourcePage'];
export type RulesView = Schemas['RulesView'];
export type Terms = Schemas['TermsView'];
export type Extra = Schemas['ExtraView'];
export type MovePreview = Schemas['MovePreview'];
export type RequestMessage = Schemas['MessageView'];
export type SeriesCard = Schemas['SeriesCard'];
export type SeriesPage = Schemas['SeriesPage'];
export type SeriesWish = Schemas['SeriesBody'];
export type SeriesPreview = Schemas['SeriesPreview'];
export type PreviewOccurrence = Schemas['PreviewOccurrence'];
export type SeriesHit = Schemas['SeriesHit'];
export type MonthOf = Schemas['Month'];
export type SeriesChangePlan = Schemas['ChangePreview'];
export type SeriesCancelPlan = Schemas['CancelPreview'];
export type ChosenTime = Schemas['ChosenTime'];

export type Feed = Schemas['FeedView'];
export type MessageSettings = Schemas['MessageSettings'];
export type MessageChoice = Schemas['ChoiceView'];

export type TimelineResource = Schemas['TimelineRow'];
export type TimelineBooking = Schemas['TimelineBooking'];
export type Timeline = Schemas['Timeline'];
export type Door = Schemas['DoorView'];
export type DoorDetail = Schemas['DoorPage'];

export type InvoiceCard = Schemas['InvoiceCard'];
export type InvoiceRun = Schemas['RunView'];
export type InvoiceRunStarted = Schemas['RunResult'];
export type Uninvoiced = Schemas['Uninvoiced'];
export type SimulatedDoor = Schemas['SimulatedDoor'];
export type SimulatedTry = Schemas['TryResult'];

/** One line of the event stream (SSE), which OpenAPI can't describe. */
export interface Change {
	topic: string;
	kind: string;
	id: string;
}
