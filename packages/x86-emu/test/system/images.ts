// The images of the system-level tests: one case file of guest/cpu-tests each, linked with the harness of its mode.

/** Mode the cases of an image start in. */
export type GuestMode = 'real16' | 'protected32' | 'long64';

/** One 64 KiB ROM of cases. */
export interface TestImage {
  readonly name: string;
  readonly mode: GuestMode;
  /** How the run ends: a write to port 0xf4, or a triple fault, which is the point of the image. */
  readonly end: 'exit-port' | 'triple-fault';
  /** PC devices the image relies on besides the ports of the contract. */
  readonly devices: 'none' | 'pic-pit';
  /** Where the transcript comes from; 'sdm': QEMU cannot run the image, it was written by hand. */
  readonly oracle: 'qemu' | 'sdm';
  /** `plain`: QEMU's qemu64 as it is, without SVM; `sdm`: with Intel's vendor string and more features. */
  readonly cpu: 'plain' | 'sdm';
}

const image = (
  name: string,
  mode: GuestMode,
  rest: Partial<Omit<TestImage, 'name' | 'mode'>> = {},
): TestImage => ({
  name,
  mode,
  end: 'exit-port',
  devices: 'none',
  oracle: 'qemu',
  cpu: 'sdm',
  ...rest,
});

export const TEST_IMAGES: readonly TestImage[] = [
  image('real-reset', 'real16'),
  image('real-basics', 'real16'),
  image('protected-segments', 'protected32'),
  image('protected-transfers', 'protected32'),
  image('protected-paging', 'protected32'),
  image('mode-switches', 'protected32'),
  image('triple-fault', 'long64', { end: 'triple-fault' }),
  image('interrupts', 'long64', { devices: 'pic-pit' }),
  image('long-paging', 'long64'),
  image('long-exceptions', 'long64'),
  image('long-transfers', 'long64'),
  image('long-compatibility', 'long64'),
  image('long-privilege', 'long64'),
  image('long-registers', 'long64'),
  image('long-sdm', 'long64', { oracle: 'sdm' }),
  image('long-code', 'long64'),
  image('cpuid', 'long64', { cpu: 'plain' }),
];
