/** Seeded entropy for RDRAND and RDSEED: splitmix64, whose whole state is one counter. */
const INCREMENT = 0x9e37_79b9_7f4a_7c15n;

export class Entropy {
  /** The counter: all there is to save. */
  state: bigint;

  constructor(seed: bigint) {
    this.state = BigInt.asUintN(64, seed);
  }

  /** Next 64 bits. */
  next(): bigint {
    this.state = BigInt.asUintN(64, this.state + INCREMENT);
    let z = this.state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return z ^ (z >> 31n);
  }
}
