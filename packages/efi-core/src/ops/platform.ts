import { neutralCallOps } from './call-ops.ts';
import type { EfiCallOps } from './call-ops.ts';
import type { Outcome } from '../decoded.ts';
import { defaultOf } from './default.ts';
import type { OpDefault } from './default.ts';
import { neutralInitOps } from './init-ops.ts';
import type { EfiInitOps } from './init-ops.ts';
import { neutralMachineOps } from './machine-ops.ts';
import type { MachineOps } from './machine-ops.ts';
import { neutralMemoryOps } from './memory-ops.ts';
import type { MemoryOps } from './memory-ops.ts';
import { neutralRuntimeOps } from './runtime-ops.ts';
import type { EfiRuntimeOps } from './runtime-ops.ts';

/** The operation tables of one platform, complete. */
export interface PlatformTables {
  readonly memory: MemoryOps;
  readonly call: EfiCallOps;
  readonly runtime: EfiRuntimeOps;
  readonly machine: MachineOps;
  readonly init: EfiInitOps;
}

/** Name of an operation table, lowest layer first. */
export type TableName = keyof PlatformTables;

/**
 * One way to reach firmware. Each table is built by a function of the finished tables below it, so that a backend which
 * replaces one layer keeps the code of the others as it is.
 */
export interface PlatformBackend {
  /** Unique among candidates. */
  readonly name: string;
  /** How sure it is that this machine is its own: 0 for not at all, the highest of all candidates wins. */
  readonly detect: () => number;
  /** The backend this one changes; its members serve where this one has none. */
  readonly base?: PlatformBackend;
  readonly memory?: () => Partial<MemoryOps>;
  readonly call?: (lower: Pick<PlatformTables, 'memory'>) => Partial<EfiCallOps>;
  readonly runtime?: (lower: Pick<PlatformTables, 'memory' | 'call'>) => Partial<EfiRuntimeOps>;
  readonly machine?: (
    lower: Pick<PlatformTables, 'memory' | 'call' | 'runtime'>,
  ) => Partial<MachineOps>;
  readonly init?: (
    lower: Pick<PlatformTables, 'memory' | 'call' | 'runtime' | 'machine'>,
  ) => Partial<EfiInitOps>;
}

/** Where one member of a bound table comes from. */
export interface MemberOrigin {
  readonly table: TableName;
  readonly member: string;
  /** Name of the backend that supplies it; undefined for a default. */
  readonly backend: string | undefined;
  /** What the default does and why; undefined when a backend supplies the member. */
  readonly default: OpDefault | undefined;
}

/** A backend's tables, complete and frozen. */
export interface BoundPlatform extends PlatformTables {
  readonly name: string;
  /** Every member of every table, lowest table first, members in table order. */
  readonly origins: readonly MemberOrigin[];
}

const lineage = (backend: PlatformBackend): readonly PlatformBackend[] => {
  const chain: PlatformBackend[] = [];
  for (let at: PlatformBackend | undefined = backend; at !== undefined; at = at.base) {
    if (chain.includes(at)) throw new Error(`backend ${backend.name} is its own base`);
    chain.unshift(at);
  }
  return chain;
};

const bindTable = <T extends object>(
  table: TableName,
  preset: T,
  layers: readonly (readonly [string, Partial<T>])[],
): { readonly ops: T; readonly origins: readonly MemberOrigin[] } => {
  const ops: T = { ...preset };
  const suppliers = new Map<string, string>();
  for (const [backend, members] of layers) {
    for (const [member, op] of Object.entries(members)) {
      if (!Object.hasOwn(preset, member)) {
        throw new Error(`backend ${backend} overrides ${table}.${member}, which does not exist`);
      }
      if (typeof op !== 'function') {
        throw new Error(`backend ${backend} overrides ${table}.${member} with no function`);
      }
      Object.assign(ops, { [member]: op });
      suppliers.set(member, backend);
    }
  }
  const origins = Object.entries(ops).map(([member, op]) =>
    Object.freeze<MemberOrigin>({
      table,
      member,
      backend: suppliers.get(member),
      default: suppliers.has(member) ? undefined : defaultOf(op as object),
    }),
  );
  return { ops: Object.freeze(ops), origins };
};

/**
 * Completes a backend's tables with its base's members and the neutral defaults, and freezes them. Throws `Error` when
 * the backend breaks the contract: a member no table has, one that is no function, or a circle of bases.
 */
export const bindPlatform = (backend: PlatformBackend): BoundPlatform => {
  const chain = lineage(backend);
  const layers = <T extends object>(
    build: (one: PlatformBackend) => Partial<T> | undefined,
  ): readonly (readonly [string, Partial<T>])[] => chain.map((one) => [one.name, build(one) ?? {}]);

  const memory = bindTable(
    'memory',
    neutralMemoryOps,
    layers<MemoryOps>((one) => one.memory?.()),
  );
  const first = { memory: memory.ops };
  const call = bindTable(
    'call',
    neutralCallOps,
    layers<EfiCallOps>((one) => one.call?.(first)),
  );
  const second = { ...first, call: call.ops };
  const runtime = bindTable(
    'runtime',
    neutralRuntimeOps,
    layers<EfiRuntimeOps>((one) => one.runtime?.(second)),
  );
  const third = { ...second, runtime: runtime.ops };
  const machine = bindTable(
    'machine',
    neutralMachineOps(runtime.ops),
    layers<MachineOps>((one) => one.machine?.(third)),
  );
  const fourth = { ...third, machine: machine.ops };
  const init = bindTable(
    'init',
    neutralInitOps,
    layers<EfiInitOps>((one) => one.init?.(fourth)),
  );
  return Object.freeze<BoundPlatform>({
    name: backend.name,
    ...fourth,
    init: init.ops,
    origins: Object.freeze(
      [memory, call, runtime, machine, init].flatMap((table) => table.origins),
    ),
  });
};

/**
 * The members a platform supplies itself, beyond the defaults and beyond the backend named `beyond` (its base, or the
 * platform everybody is measured against).
 */
export const overriddenMembers = (
  platform: BoundPlatform,
  beyond?: string,
): readonly MemberOrigin[] =>
  platform.origins.filter(({ backend }) => backend !== undefined && backend !== beyond);

/** What `detect` answered for one candidate. */
export interface PlatformScore {
  readonly name: string;
  readonly score: number;
}

/** The candidate that won. */
export interface PlatformSelection {
  readonly backend: PlatformBackend;
  readonly score: number;
  /** All candidates in the order given. */
  readonly scores: readonly PlatformScore[];
}

/** Why no candidate could be chosen. */
export type SelectionError =
  /** Two candidates have one name. */
  | { readonly kind: 'registered twice'; readonly name: string }
  /** A score is negative or not a finite number. */
  | { readonly kind: 'bad score'; readonly name: string; readonly score: number }
  /** Every candidate answered 0, or there is none. */
  | { readonly kind: 'none detected'; readonly scores: readonly PlatformScore[] };

/** The candidate with the highest `detect` score; the first of them when scores are equal. */
export const selectPlatform = (
  candidates: readonly PlatformBackend[],
): Outcome<PlatformSelection, SelectionError> => {
  const names = new Set<string>();
  for (const { name } of candidates) {
    if (names.has(name)) return { ok: false, error: { kind: 'registered twice', name } };
    names.add(name);
  }
  const scores: PlatformScore[] = [];
  let best: { readonly backend: PlatformBackend; readonly score: number } | undefined;
  for (const backend of candidates) {
    const score = backend.detect();
    scores.push({ name: backend.name, score });
    if (!Number.isFinite(score) || score < 0) {
      return { ok: false, error: { kind: 'bad score', name: backend.name, score } };
    }
    if (score > (best?.score ?? 0)) best = { backend, score };
  }
  return best === undefined
    ? { ok: false, error: { kind: 'none detected', scores } }
    : { ok: true, value: { ...best, scores } };
};
