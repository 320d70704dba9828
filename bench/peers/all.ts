import { nativePeer, unicornPeer } from './compiled.ts';
import type { Peer } from './peer.ts';
import { qemuPeer } from './qemu.ts';
import { systabInterpreterPeer, systabTranslatorPeer } from './systab.ts';
import { v86InterpreterPeer, v86JitPeer } from './v86.ts';

/** Every engine of the benchmark, in the order of the table. */
export const PEERS: readonly Peer[] = [
  nativePeer,
  qemuPeer,
  systabTranslatorPeer,
  v86JitPeer,
  unicornPeer,
  systabInterpreterPeer,
  v86InterpreterPeer,
];
