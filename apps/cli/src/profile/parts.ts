/** Which part of the machine a stack belongs to, told from the files and WebAssembly modules on it. */
import type { Frame } from './cpu-sampler.ts';

/** In the order they are shown. */
export const PARTS = [
  'interpreter',
  'translated',
  'runtime',
  'translator',
  'decoder',
  'slow paths',
  'ports',
  'devices',
  'run loop',
  'collector',
  'host',
] as const;
export type Part = (typeof PARTS)[number];

/** What each part is, for those who read the table. */
export const PART_WORDS: Readonly<Record<Part, string>> = {
  interpreter: 'the dispatch loop and its handlers',
  translated: 'WebAssembly made of hot guest code',
  runtime: 'what both call: TLB misses, page walks, interrupts, flags on demand',
  translator: 'choosing hot code, writing and compiling WebAssembly for it',
  decoder: 'fetching and decoding, handlers that are built when they are first needed',
  'slow paths': 'instructions and exceptions in TypeScript, the way to ports and registers',
  ports: 'dispatch of port and register accesses, trace hash, hooks',
  devices: 'the devices themselves',
  'run loop': 'slices, virtual time, events',
  collector: "V8's garbage collection",
  host: 'the command, Node.js, V8',
};

const EMULATOR = /x86-emu\/(?:src|dist)\/(.+)\.[jt]s$/;
const WASM = /^wasm:\/\/wasm\/(\w+)-/;

/** Sources of the emulator by the beginning of their path; the first that fits counts. What is not listed, such as the builders of WebAssembly,
 * belongs to its caller's part. */
const SOURCES: readonly (readonly [string, Part])[] = [
  ['device/', 'devices'],
  ['pc/', 'devices'],
  ['engine/hot-spots', 'translator'],
  ['engine/region', 'translator'],
  ['engine/flow', 'translator'],
  ['engine/concrete', 'translator'],
  ['engine/handlers', 'decoder'],
  ['engine/code-', 'decoder'],
  ['engine/core-', 'decoder'],
  ['engine/record', 'decoder'],
  ['engine/hot-handlers', 'decoder'],
  ['decode/', 'decoder'],
  ['engine/engine', 'slow paths'],
  ['engine/cpu-adapter', 'slow paths'],
  ['engine/insn-view', 'slow paths'],
  ['engine/physical-memory', 'slow paths'],
  ['engine/tlb', 'slow paths'],
  ['engine/mode', 'slow paths'],
  ['engine/debug-hits', 'slow paths'],
  ['cpu/', 'slow paths'],
  ['fpu/', 'slow paths'],
  ['machine/virtual-clock', 'run loop'],
  ['machine/', 'ports'],
  ['machine', 'run loop'],
];
/** The methods of `machine.ts` that every access passes. */
const TRACED = new Set(['#traceEvent', '#ioAccess', '#unclaimed']);
/** The engine's run loop, entered and left once for each slice. */
const ENTRIES = new Set(['execute', '#run']);
/** Functions of the core module that are the interpreter; the others serve both engines. */
const INTERPRETER = new Set(['run', 'lookup', 'resolve']);

const wasmPart = (module: string, name: string): Part =>
  module === 'region'
    ? 'translated'
    : module === 'handler' || INTERPRETER.has(name)
      ? 'interpreter'
      : 'runtime';

const sourcePart = (path: string, name: string): Part | undefined => {
  if (path === 'machine' && TRACED.has(name)) return 'ports';
  if (path === 'engine/engine' && ENTRIES.has(name)) return 'run loop';
  return SOURCES.find(([prefix]) => path.startsWith(prefix))?.[1];
};

const ownPart = ({ name, url }: Frame): Part | undefined => {
  const [, module] = WASM.exec(url) ?? [];
  if (module !== undefined) return wasmPart(module, name);
  const [, path] = EMULATOR.exec(url) ?? [];
  if (path !== undefined) return sourcePart(path, name);
  return name === '(garbage collector)' ? 'collector' : undefined;
};

/** A stack with what it is counted as. */
export interface Place {
  readonly part: Part;
  /** The device that was accessed: the outermost one on the stack, a file's name. */
  readonly device: string | undefined;
}

/** `ops` holds what devices are made of, alarms among them. */
const DEVICE = /x86-emu\/(?:src|dist)\/device\/(?!ops\.)(.+)\.[jt]s$/;

/** An access to a device is all that device's, with what it sets off in others; everything else belongs to its innermost part. */
export const placeOf = (stack: readonly Frame[]): Place => {
  for (const { url } of stack) {
    const [, device] = DEVICE.exec(url) ?? [];
    if (device !== undefined) return { part: 'devices', device };
  }
  const part = stack.reduce<Part | undefined>((outer, frame) => ownPart(frame) ?? outer, undefined);
  return { part: part ?? 'host', device: undefined };
};
