/** Names for what crosses the wire about doors. Instants are UTC. */
import type { components } from '../api/schema.d.ts';

type Schemas = components['schemas'];

export type Share = Schemas['Share'];
export type SharedCode = Schemas['SharedCode'];
export type Replacement = Required<Schemas['Replacement']>;
export type Command = Schemas['CommandView'];
export type Op = Command['op'];
export type Alarm = Schemas['AlarmView'];
export type Alarms = Schemas['Alarms'];
export type DoorEvents = Schemas['DoorEvents'];
export type DoorControllerView = Schemas['ControllerView'];
export type Enrolled = Schemas['Enrolled'];
export type Retired = Schemas['Retired'];
export type Quarantine = Schemas['QuarantineView'];
export type ControllerDeed = 'key' | 'activate' | 'replace' | 'retire';
