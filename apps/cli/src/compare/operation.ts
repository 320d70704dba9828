/** Operations: the steps of a scenario, each with an outcome that can be compared. */
import type { System } from '../system.ts';
import type { Observation } from './observation.ts';

/** What an operation is about; the tables of a report, in this order. */
export const TOPICS = [
  'boot',
  'tables',
  'time',
  'variables',
  'boot entries',
  'counter',
  'capsules',
  'reset',
] as const;
export type Topic = (typeof TOPICS)[number];

/** One step. Operations run in the order of their scenario, on one system. */
export interface Operation {
  /** Stable name, for explanations and for `--json`: `variables.null-name`. */
  readonly id: `${string}.${string}`;
  readonly topic: Topic;
  /** What a table calls it. */
  readonly title: string;
  readonly run: (system: System) => Observation;
}

/** A list of operations with a name. */
export interface Scenario {
  readonly name: string;
  readonly operations: readonly Operation[];
}

/** The operations of a topic from `[id, title, run]` rows. */
export const operations = (
  topic: Topic,
  rows: readonly (readonly [id: string, title: string, run: Operation['run']])[],
): readonly Operation[] =>
  rows.map(([id, title, run]) => ({ id: `${topic.replace(' ', '-')}.${id}`, topic, title, run }));
