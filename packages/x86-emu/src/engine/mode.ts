/** What the engine derives from control registers, segments and flags: decode mode, TLB view, blocked units. */
import { ATTRIBUTE } from '../cpu/cpu-state.ts';
import type { CpuState } from '../cpu/cpu-state.ts';
import { CR0, CR4, FLAG } from '../cpu/control-bits.ts';
import { armedBreakpoints } from '../cpu/debug-registers.ts';
import { is64Bit, isProtected, isVirtual8086 } from '../cpu/mode.ts';
import { MODE_KEY, USER_KEY } from './decode-modes.ts';
import { TLB_VIEWS, tlbView } from './layout.ts';

const UD = 6;
const NM = 7;
const FLAT_SEGMENTS = ['cs', 'ss', 'ds', 'es'] as const;

/** Base 0, limit 4 GiB, and a type that every access suits. */
const isFlatSegment = (state: CpuState, name: (typeof FLAT_SEGMENTS)[number]): boolean => {
  const { base, limit, attributes } = state.segment(name);
  if (base !== 0n || limit !== 0xffff_ffff || (attributes & ATTRIBUTE.unusable) !== 0) return false;
  if (name === 'cs') return true;
  const demanded = ATTRIBUTE.present | ATTRIBUTE.readWrite;
  const refused = ATTRIBUTE.code | ATTRIBUTE.expandDownOrConforming;
  return (attributes & (demanded | refused)) === demanded;
};

const modeKeyOf = (state: CpuState): number => {
  if (is64Bit(state)) return MODE_KEY.long;
  const { attributes } = state.segment('cs');
  const big = (attributes & ATTRIBUTE.big) !== 0;
  if (!isProtected(state) || isVirtual8086(state)) return big ? MODE_KEY.real32 : MODE_KEY.real16;
  if (!big) return MODE_KEY.legacy16;
  const stackBig = (state.segment('ss').attributes & ATTRIBUTE.big) !== 0;
  return stackBig && FLAT_SEGMENTS.every((name) => isFlatSegment(state, name))
    ? MODE_KEY.flat
    : MODE_KEY.legacy32;
};

const tlbViewOf = (state: CpuState, aligned: boolean, watched: boolean): number => {
  if (aligned || watched) return TLB_VIEWS.checked;
  if (state.get('cpl') === 3) return TLB_VIEWS.user;
  const smap = (Number(state.big('cr4')) & CR4.SMAP) !== 0;
  return smap && (state.get('systemFlags') & FLAG.AC) === 0 ? TLB_VIEWS.smap : TLB_VIEWS.supervisor;
};

/** Recomputes everything; gives whether code is now decoded, based or permitted differently. */
export const deriveMode = (state: CpuState): boolean => {
  const cr0 = Number(state.big('cr0'));
  const cr4 = Number(state.big('cr4'));
  const unavailable = cr0 & CR0.TS ? NM : 0;
  state.set('x87Blocked', cr0 & (CR0.EM | CR0.TS) ? NM : 0);
  state.set('mmxBlocked', cr0 & CR0.EM ? UD : unavailable);
  state.set('sseBlocked', cr0 & CR0.EM || !(cr4 & CR4.OSFXSR) ? UD : unavailable);

  const aligned =
    (cr0 & CR0.AM) !== 0 && state.get('cpl') === 3 && (state.get('systemFlags') & FLAG.AC) !== 0;
  const watched = armedBreakpoints(state).some(({ kind }) => kind === 'write' || kind === 'access');
  state.set('alignmentChecked', aligned ? 1 : 0);
  state.set('dataBreakpoints', watched ? 1 : 0);
  state.set('tlb', tlbView(tlbViewOf(state, aligned, watched)));

  const modeKey = modeKeyOf(state);
  const codeBase = modeKey === MODE_KEY.long ? 0n : state.segment('cs').base;
  const execKey = modeKey | (state.get('cpl') === 3 ? USER_KEY : 0);
  const changed = execKey !== state.get('execKey') || codeBase !== state.big('codeBase');
  state.set('modeKey', modeKey);
  state.set('execKey', execKey);
  state.setBig('codeBase', codeBase);
  return changed;
};
