import type { Check } from '../check.ts';
import { AUTHENTICATED_VARIABLE } from './authenticated-variable.ts';
import { CAPSULE } from './capsule.ts';
import { CONTAINMENT } from './containment.ts';
import { FACADE } from './facade.ts';
import { GET_VARIABLE } from './get-variable.ts';
import { INITIALISATION } from './initialisation.ts';
import { MONOTONIC_COUNTER } from './monotonic-counter.ts';
import { NEXT_VARIABLE_NAME } from './next-variable-name.ts';
import { PERSISTENCE } from './persistence.ts';
import { QUERY_VARIABLE_INFO } from './query-variable-info.ts';
import { RESET_SYSTEM } from './reset.ts';
import { SET_VARIABLE } from './set-variable.ts';
import { SIGNED_VARIABLE } from './signed-variable.ts';
import { TIME } from './time.ts';
import { VARIABLE_STORAGE } from './variable-storage.ts';
import { VIRTUAL_MODE } from './virtual-mode.ts';
import { WAKEUP_TIME } from './wakeup-time.ts';

/** Everything a platform must do, in the order of the specification's services. */
export const CHECKS: readonly Check[] = [
  ...INITIALISATION,
  ...VIRTUAL_MODE,
  ...TIME,
  ...WAKEUP_TIME,
  ...GET_VARIABLE,
  ...NEXT_VARIABLE_NAME,
  ...SET_VARIABLE,
  ...VARIABLE_STORAGE,
  ...AUTHENTICATED_VARIABLE,
  ...SIGNED_VARIABLE,
  ...QUERY_VARIABLE_INFO,
  ...MONOTONIC_COUNTER,
  ...CAPSULE,
  ...RESET_SYSTEM,
  ...PERSISTENCE,
  ...CONTAINMENT,
  ...FACADE,
];
