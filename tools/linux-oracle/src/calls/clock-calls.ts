// What is asked of /dev/rtc0, in this order.
import type { ScriptedCall } from './call.ts';
import { scripted } from './call.ts';

const set = (title: string, time: string): ScriptedCall => scripted(title, 'clock-set', time);
const read = scripted('read', 'clock');
const alarm = (title: string, state: 'on' | 'off', time: string): ScriptedCall =>
  scripted(title, 'alarm-set', state, time);

/** Every call of the clock. */
export const CLOCK_CALLS: readonly ScriptedCall[] = [
  read,
  scripted('the alarm', 'alarm'),
  set('month 13', '2024,13,1,0,0,0'),
  set('month 0', '2024,0,1,0,0,0'),
  set('day 0', '2024,1,0,0,0,0'),
  set('29 February in a common year', '2023,2,29,0,0,0'),
  set('hour 24', '2024,1,1,24,0,0'),
  set('minute 60', '2024,1,1,0,60,0'),
  set('second 60', '2024,1,1,0,0,60'),
  set('year 1899', '1899,1,1,0,0,0'),
  set('year 1969', '1969,1,1,0,0,0'),
  set('year 2200', '2200,1,1,0,0,0'),
  set('29 February of a leap year', '2028,2,29,23,59,58'),
  read,
  alarm('an alarm in the next hour', 'on', '2028,3,1,0,30,0'),
  scripted('the alarm', 'alarm'),
  alarm('an alarm at an impossible time', 'on', '2028,2,30,0,0,0'),
  alarm('an alarm after two days', 'on', '2028,3,2,0,0,0'),
  alarm('no alarm', 'off', '2028,3,1,0,30,0'),
  scripted('the alarm', 'alarm'),
  set('back', '2024,1,1,12,0,0'),
];
