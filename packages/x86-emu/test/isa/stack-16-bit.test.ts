/** A 16-bit stack: only SP counts. */
import { expect, test } from 'vitest';
import { createGuest } from './guest.ts';

const done = { kind: 'until' };

test('16-bit stack: SP wraps within 64 KiB and the upper half of ESP stays', () => {
  const guest = createGuest('real');
  guest.set({ rsp: 0x1234_0000, rax: 0xbeef });
  expect(guest.run([0x50])).toEqual(done);
  expect(guest.get('rsp')).toBe(0x1234_fffen);
  expect(guest.read(0xfffe, 2)).toEqual([0xef, 0xbe]);
  expect(guest.run([0x5b])).toEqual(done);
  expect([guest.get('rsp'), guest.get('rbx')]).toEqual([0x1234_0000n, 0xbeefn]);
});
