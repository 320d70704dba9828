import type { Check } from '../check.ts';
import { checksOf, told, yes } from '../check.ts';

const { check, answers } = checksOf('GetNextHighMonotonicCount', 'UEFI 2.10, 8.5.2', [
  'GetNextHighMonotonicCount',
]);

export const MONOTONIC_COUNTER: readonly Check[] = [
  answers(
    'NULL for HighCount',
    ({ services }) => services.getNextHighMonotonicCount(['highCount']),
    'EFI_INVALID_PARAMETER',
  ),
  check(
    'each call one more',
    ({ services }) => {
      const counts = [1, 2, 3].map(() => {
        const count = services.getNextHighMonotonicCount();
        return count.ok ? count.value : Number.NaN;
      });
      return {
        first: told(services.getNextHighMonotonicCount()),
        'by one': yes(counts.every((count, index) => count === (counts[0] ?? 0) + index)),
      };
    },
    { first: 'EFI_SUCCESS', 'by one': 'yes' },
  ),
];
