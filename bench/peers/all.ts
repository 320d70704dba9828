import { nativePeer, unicornPeer } from './compiled.ts';
import type { Peer } from './peer.ts';
import { qemuPeer } from './qemu.ts';
import { systabPeer } from './systab.ts';
import { v86InterpreterPeer, v86JitPeer } from './v86.ts';

/** Every engine of the benchmark, in the order of the table. */
export const PEERS: readonly Peer[] = [
  nativePeer,
  qemuPeer,
  v86JitPeer,
  unicornPeer,
  systabPeer,
  v86InterpreterPeer,
];
