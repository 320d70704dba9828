/** The scenario of the review: boot, walk the tables, time, variables with their error cases, counter, capsules, reset. */
import type { Scenario } from '../operation.ts';
import { BOOT_OPERATIONS, TABLE_OPERATIONS } from './boot.ts';
import {
  CAPSULE_OPERATIONS,
  COUNTER_OPERATIONS,
  RESET_OPERATIONS,
  TIME_OPERATIONS,
} from './services.ts';
import { BOOT_ENTRY_OPERATIONS, VARIABLE_OPERATIONS } from './variables.ts';

export const REVIEW_2013: Scenario = {
  name: 'review-2013',
  operations: [
    ...BOOT_OPERATIONS,
    ...TABLE_OPERATIONS,
    ...TIME_OPERATIONS,
    ...VARIABLE_OPERATIONS,
    ...BOOT_ENTRY_OPERATIONS,
    ...COUNTER_OPERATIONS,
    ...CAPSULE_OPERATIONS,
    ...RESET_OPERATIONS,
  ],
};
