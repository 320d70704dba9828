// Builds the reference firmware: a runtime driver (PE), the core that carries it, and the flash images they go into.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGuest, padImage } from '../toolchain.ts';
import { buildPe } from './pe-program.ts';
import type { FirmwareArchitecture } from './pe-program.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const within = (folder: string, names: readonly string[]): string[] =>
  names.map((name) => here(`${folder}/${name}`));

/** Bytes of each flash device: the code, which ends at 4 GiB, and the variables below it. */
export const FLASH_SIZE = 0x2_0000;

const CORE_SOURCES = [
  'main.c',
  'debug-log.c',
  'platform.c',
  'fw-cfg.c',
  'memory-map.c',
  'pool.c',
  'event.c',
  'protocol-database.c',
  'pe-loader.c',
  'image.c',
  'console.c',
  'system-table.c',
  'boot-services.c',
  'acpi-loader.c',
  'smbios.c',
  'information-tables.c',
  'initrd.c',
  'boot-option.c',
  'capsule-list.c',
  'capsule-delivery.c',
] as const;

const RUNTIME_SOURCES = [
  'entry.c',
  'flash.c',
  'variable-volume.c',
  'variable-store.c',
  'variable-services.c',
  'variable-auth.c',
  'signature-list.c',
  'pkcs7.c',
  'rsa.c',
  'sha256.c',
  'monotonic-counter.c',
  'rtc.c',
  'time.c',
  'reset-system.c',
  'capsule.c',
  'capsule-result.c',
  'firmware-update.c',
  'virtual-map.c',
] as const;

const INCLUDES = [here('include')];
const LIBRARY = within('lib', ['memory.c']);

/** Where the built code flash of an architecture stands, in the package that ships it. */
export const firmwareImagePath = (architecture: FirmwareArchitecture): string =>
  here(`../../packages/platform-baremetal/images/reference-${architecture}.fd`);

/** Builds the code flash of the firmware; its reset vector is 16 bytes before the end. */
export const buildFirmware = (architecture: FirmwareArchitecture): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-firmware-'));
  try {
    const driver = join(folder, 'runtime.efi');
    writeFileSync(
      driver,
      buildPe({
        architecture,
        subsystem: 'efi_runtime_driver',
        entry: 'runtime_main',
        sources: [...within('runtime', RUNTIME_SOURCES), ...LIBRARY],
        includes: [...INCLUDES, here('runtime')],
      }),
    );
    const x64Only = architecture === 'x64' ? within('core', ['paging.c']) : [];
    const { flat } = buildGuest({
      mode: architecture === 'x64' ? 'long64' : 'protected32',
      sources: [here('sec/reset.S'), ...within('core', CORE_SOURCES), ...x64Only, ...LIBRARY],
      includes: [...INCLUDES, here('core')],
      defines: [`RUNTIME_DRIVER="${driver}"`],
      linkerScript: here('sec/firmware.ld'),
      linkerValues: {},
    });
    return padImage(flat, FLASH_SIZE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A variable flash as it leaves the factory: erased. The firmware formats it when it starts. */
export const emptyVariableFlash = (): Uint8Array => new Uint8Array(FLASH_SIZE).fill(0xff);

/** The applications that test the firmware, with their sources. */
const TEST_APPLICATIONS = {
  /** Asks for every service. */
  services: [
    'services.c',
    'report.c',
    'tables.c',
    'boot-services.c',
    'initrd.c',
    'runtime-services.c',
    'authentication.c',
    'virtual-mode.c',
  ],
  /** Hands capsules over, across resets. */
  capsules: ['capsules.c', 'report.c'],
} as const;
export type TestApplication = keyof typeof TEST_APPLICATIONS;
export const TEST_APPLICATION_NAMES = Object.keys(TEST_APPLICATIONS) as readonly TestApplication[];

/** Where a built test application of an architecture stands. */
export const testApplicationPath = (
  name: TestApplication,
  architecture: FirmwareArchitecture,
): string => here(`test/images/${name}-${architecture}.efi`);

/** Builds a test application; it reports on the serial port. */
export const buildTestApplication = (
  name: TestApplication,
  architecture: FirmwareArchitecture,
): Uint8Array =>
  buildPe({
    architecture,
    subsystem: 'efi_application',
    entry: 'application_main',
    sources: [...within('test', TEST_APPLICATIONS[name]), ...LIBRARY],
    includes: [...INCLUDES, here('test')],
  });

/** Builds C sources for the host, with sanitizers, and runs them; returns what the program says. */
const runOnHost = (sources: readonly string[], ...args: readonly string[]): string => {
  const folder = mkdtempSync(join(tmpdir(), 'systab-host-'));
  try {
    const program = join(folder, 'program');
    execFileSync(
      'clang',
      [
        ['-std=c17', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-DHOST_TEST'],
        ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
        [...INCLUDES, here('runtime'), here('core')].map((include) => `-I${include}`),
        [...sources, ...LIBRARY, '-o', program],
      ].flat(),
    );
    return execFileSync(program, args, { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Takes the variable store through power cuts at each of its writes. */
export const runPowerCutTest = (): string =>
  runOnHost([
    ...within('test/host', ['power-cut.c', 'flash-model.c']),
    ...within('runtime', ['variable-store.c', 'variable-volume.c']),
  ]);

/** Gives changed signatures to the parsers of authenticated variables. */
export const runSignatureFuzz = (): string =>
  runOnHost(
    [
      ...within('test/host', ['signature-fuzz.c']),
      ...within('runtime', ['signature-list.c', 'pkcs7.c', 'rsa.c', 'sha256.c']),
    ],
    here('test/auth-vectors.bin'),
  );

/** Gives good and hostile scatter gather lists to their reader. */
export const runCapsuleFuzz = (): string =>
  runOnHost([...within('test/host', ['capsule-fuzz.c']), ...within('core', ['capsule-list.c'])]);
