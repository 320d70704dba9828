/**
 * RCPPS/RCPSS and RSQRTPS/RSQRTSS. The SDM leaves the result free within 1.5 × 2^-12; this is the function of AMD Zen 3 bit for bit, measured over all
 * 2^24 significands: 12 fraction bits looked up by the 12 highest operand bits in a bipartite table (a base by bits 11…4, an offset by bits 11…8 and 3…0).
 * Neither instruction raises or records an exception; denormals count as zeros whatever DAZ says.
 */

interface ApproximationTable {
  readonly base: Uint16Array;
  readonly offset: Uint8Array;
}

/** Reads 16 rows of 16 three-digit hexadecimal bases, and 16 rows of 16 offsets in base 36. */
function table(bases: readonly string[], offsets: readonly string[]): ApproximationTable {
  const base = new Uint16Array(256);
  const offset = new Uint8Array(256);
  for (let i = 0; i < 256; i++) {
    const row = i >> 4;
    const column = i & 15;
    base[i] = parseInt((bases[row] as string).slice(column * 3, column * 3 + 3), 16);
    offset[i] = parseInt((offsets[row] as string).charAt(column), 36);
  }
  return { base, offset };
}

/** 1/x for x in [1, 2). */
const RECIPROCAL: ApproximationTable = table(
  [
    'ffefdefbff9ff81f62f43f25f07ee9ecbeaee91e74e57e3a',
    'e1ce00de4dc9dadd92d77d5cd41d26d0ccf2cd8cbeca4c8b',
    'c70c57c3ec25c0dbf4bdcbc4bacb94b7db65b4eb37b20b09',
    'af1adbac4aaea98a82a6ca56a41a2ba16a019ec9d79c29ae',
    '99898497095c94893492090d8f98e68d28bf8ac899886874',
    '86184f83c82a8188067f47e27d07bf7ad79c78a779768757',
    '7457347247137026f26e26d16c16b16a1691681672662652',
    '6426336236146055f65e75d85c95ba5ac59d58f580572563',
    '55554753852a51d50f5014f34e64d84ca4bd4b04a2495488',
    '47a46d46045344743a42d4204144073fb3ee3e23d63c93bd',
    '3b13a539938d38137536935e35234633b32f32431830d302',
    '2f62eb2e02d52ca2bf2b42a929e29328827e27326925e253',
    '24823e23422921f21520b2011f61ec1e21d81cf1c51bb1b1',
    '1a719e19418a18117716e16415b15114813f13612c12311a',
    '1101070fe0f50ec0e30db0d20c90c00b70af0a609d09508c',
    '08407b07306a06205a051049041039030028020018010008',
  ],
  [
    '023579bdfhikmoqs',
    '013568abdfgiklnp',
    '0134578abdeghjkm',
    '01245689acdeghik',
    '012346789bcdefhi',
    '012456789abcefgh',
    '0123456789abcdef',
    '01234556789abcde',
    '012234567889abcd',
    '0112345567899abc',
    '0122344567789aab',
    '011233455677899a',
    '0012233455677889',
    '0012233455667889',
    '0011223345566778',
    '0011223445566778',
  ],
);

/** 1/√x for x in [1, 2): even exponents. */
const ROOT_EVEN: ApproximationTable = table(
  [
    'ffffeffdffd0fc0fb0fa1f92f82f73f64f55f46f37f28f1a',
    'f0befceeeedfed1ec3eb5ea7e99e8be7de6fe61e54e46e39',
    'e2be1ee10e03df6de9ddcdcfdc2db5da9d9cd8fd83d76d6a',
    'd5dd51d44d38d2cd20d14d08cfccf0ce5cd9ccdcc2cb6cab',
    'c9ec93c88c7cc71c66c5bc50c45c3ac2fc24c19c0ec04bf9',
    'beebe4bd9bcfbc4bbabafba5b9bb91b86b7cb72b68b5eb54',
    'b4ab40b36b2cb22b19b0fb05afcaf2ae9adfad6accac3aba',
    'ab0aa7a9ea94a8ba82a79a70a67a5ea55a4ca43a3ba32a29',
    'a21a18a0fa079fe9f69ed9e59dc9d49cb9c39bb9b29aa9a2',
    '99999198998197997196996195995194994193993292a922',
    '91a91290b9038fb8f48ec8e58dd8d68ce8c78bf8b88b18a9',
    '8a289b89488d88587e87787086986285b85484d84683f838',
    '83082982281c81580e8078007fa7f37ec7e67df7d87d27cb',
    '7c57be7b87b17ab7a479e79779178b78477e77877176b765',
    '75e75875274c74674073a73372d72772171b71570f709703',
    '6fd6f76f16eb6e56e06da6d46ce6c86c36bd6b76b16ac6a6',
  ],
  [
    '01234567789abcde',
    '01233456789aabcd',
    '012234566789abbc',
    '0122344567789aab',
    '001223455677899a',
    '011233455667889a',
    '0012233445667889',
    '0011223445566788',
    '0112233445566778',
    '0011223344556677',
    '0011223334455667',
    '0112223344556667',
    '0011122333445566',
    '0011222334445556',
    '0011122333445556',
    '0001112233344455',
  ],
);

/** 1/√x for x in [2, 4): odd exponents. */
const ROOT_ODD: ApproximationTable = table(
  [
    '6a069568a67e67366965e65364863d63362861d6136085fe',
    '5f35e95df5d45ca5c05b65ac5a259958f58557b57256855f',
    '55554b54253952f52651d51450b5024f94f04e74de4d54cc',
    '4c34bb4b24a94a149849048747f47746e46645e45544d445',
    '43d43542d42541d41540d4053fd3f53ee3e63de3d73cf3c8',
    '3c03b93b13aa3a239b39438c38537e37736f36836135a353',
    '34c34533e33733032932231b31530e3073002fa2f32ec2e6',
    '2df2d92d22cc2c52bf2b82b22ac2a529f29929228c286280',
    '27927326d26726125b25524f24924323d23723122b225220',
    '21a21420e2092031fd1f71f21ec1e71e11db1d61d01cb1c5',
    '1c01bb1b51b01aa1a51a019a19519018a18518017b176170',
    '16b16616115c15715214d14814313e13913412f12a125120',
    '11a11611110c1071020fd0f90f40ef0ea0e60e10dc0d80d3',
    '0ce0ca0c50c10bc0b70b30ae0aa0a50a109c09809308f08b',
    '08608207d07907507006c06806305f05b05705204e04a046',
    '04103d03903503102d02902402001c01801401000c008004',
  ],
  [
    '011233455677899a',
    '0012233455677899',
    '0012233445667788',
    '0012233445566778',
    '0011223344556677',
    '0111223344556667',
    '0011222334455566',
    '0011222334445566',
    '0001122233344555',
    '0011122233344455',
    '0011122233344455',
    '0111222333444455',
    '0001112222333444',
    '0001112222333444',
    '0011112222333344',
    '0011112222333344',
  ],
);

/** The 23 fraction bits of the approximation for an operand with these fraction bits. */
function approximate(from: ApproximationTable, fraction: number): number {
  const index = fraction >>> 11;
  const base = from.base[index >>> 4] as number;
  const offset = from.offset[((index >>> 4) & 0xf0) | (index & 15)] as number;
  return (base - offset) << 11;
}

const INFINITY32 = 0x7f800000;
const QUIET_BIT = 0x00400000;
const DEFAULT_NAN = 0xffc00000;

/** RCPSS of one binary32, bits to bits. A result that would be denormal is a zero. */
export function sseReciprocal(bits: number): number {
  const sign = bits & 0x80000000;
  const exp = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exp === 0xff) return (fraction === 0 ? sign : bits | QUIET_BIT) >>> 0;
  if (exp === 0) return (sign | INFINITY32) >>> 0;
  // Every table value is below 1: the result's exponent is one less than that of a power of two.
  const resultExp = 253 - exp;
  if (resultExp <= 0) return sign >>> 0;
  return (sign | (resultExp << 23) | approximate(RECIPROCAL, fraction)) >>> 0;
}

/** RSQRTSS of one binary32, bits to bits. */
export function sseReciprocalRoot(bits: number): number {
  const sign = bits & 0x80000000;
  const exp = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exp === 0xff && fraction !== 0) return (bits | QUIET_BIT) >>> 0;
  if (exp === 0) return (sign | INFINITY32) >>> 0;
  if (sign !== 0) return DEFAULT_NAN;
  if (exp === 0xff) return 0;
  // Bias 127 is odd: an odd field is an even exponent.
  const odd = (exp & 1) === 0;
  const half = (exp - (odd ? 128 : 127)) / 2;
  return ((126 - half) << 23) | approximate(odd ? ROOT_ODD : ROOT_EVEN, fraction);
}
