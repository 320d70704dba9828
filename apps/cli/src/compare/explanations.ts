/**
 * Why a route may differ from bare metal. Data: each entry names the operation, the routes, what they give, the reason and its
 * source. A difference without an entry is unexplained; an entry that explains nothing is stale.
 */
import type { RouteName } from './route.ts';

export interface Explanation {
  /** Id of the operation. */
  readonly operation: string;
  readonly routes: readonly RouteName[];
  /** What the routes give. */
  readonly value: RegExp;
  readonly why: string;
  /** Section of a specification, header or source file that says so. */
  readonly source: string;
}

export const EXPLANATIONS: readonly Explanation[] = [];
