// The ACPI tables of the machine and their loader script, laid out as QEMU 7.2's `pc` does: FACS, DSDT, FADT, MADT, HPET,
// WAET, RSDT in one file, the RSDP in another. Source: ACPI specification 1.0b, chapter 5; HPET 1.0a, 3.2.4.

import { ACPI_DISABLE, ACPI_ENABLE, GPE0_BASE, GPE0_LENGTH } from '../device/acpi-pm.ts';
import { HPET_BASE, HPET_ID } from '../device/hpet.ts';
import { IO_APIC_BASE } from '../device/io-apic.ts';
import { LOCAL_APIC_BASE } from '../device/local-apic.ts';
import * as aml from './aml.ts';
import type { DsdtOptions } from './dsdt.ts';
import { buildDsdt } from './dsdt.ts';
import type { LoaderCommand } from './table-loader.ts';
import { encodeLoaderScript, ZONE } from './table-loader.ts';

export interface AcpiTableOptions extends DsdtOptions {
  /** Address of the PM1a event block at the moment, 0 before the firmware has configured it. */
  readonly pmBase: number;
}

export interface AcpiFiles {
  readonly rsdp: Uint8Array;
  readonly tables: Uint8Array;
  readonly loader: Uint8Array;
}

const RSDP_FILE = 'etc/acpi/rsdp';
const TABLES_FILE = 'etc/acpi/tables';
const TABLES_SIZE = 0x2_0000;
const HEADER_SIZE = 36;
const CHECKSUM_OFFSET = 9;
const FACS_SIZE = 64;
/** QEMU's DSDT: ours is filled up to it, so that every table stands at the same offset and firmware allocates the same. */
const DSDT_SIZE = 6385;

/** ISA interrupts that are level-triggered and active high: the PCI links and the SCI. */
const LEVEL_IRQS = [5, 9, 10, 11] as const;
const POLARITY_HIGH_LEVEL = 0x0d;

interface Bytes {
  readonly array: Uint8Array;
  readonly view: DataView;
}
const bytesOf = (size: number): Bytes => {
  const array = new Uint8Array(size);
  return { array, view: new DataView(array.buffer) };
};

/** A system description table: header (5.2.3) with QEMU's identification, checksum left to the loader. */
const table = (
  signature: string,
  revision: number,
  size: number,
  fill: (bytes: Bytes) => void,
): Uint8Array => {
  const bytes = bytesOf(size);
  const text = (at: number, s: string): void => bytes.array.set(new TextEncoder().encode(s), at);
  text(0, signature);
  bytes.view.setUint32(4, size, true);
  bytes.array[8] = revision;
  text(10, 'BOCHS ');
  text(16, 'BXPC    ');
  bytes.view.setUint32(24, 1, true);
  text(28, 'BXPC');
  bytes.view.setUint32(32, 1, true);
  fill(bytes);
  return bytes.array;
};

const facs = (): Uint8Array => {
  const bytes = bytesOf(FACS_SIZE);
  bytes.array.set(new TextEncoder().encode('FACS'));
  bytes.view.setUint32(4, FACS_SIZE, true);
  return bytes.array;
};

/** A named buffer that fills the rest of the table. */
const fill = (bytes: number): aml.Aml => aml.name('\\FILL', aml.buffer(new Uint8Array(bytes)));

const dsdt = (options: DsdtOptions): Uint8Array => {
  const body = buildDsdt(options);
  const room = DSDT_SIZE - HEADER_SIZE - body.length;
  if (room < 0x100)
    throw new Error(`DSDT body of ${body.length} bytes is longer than the space for it`);
  const filler = fill(2 * room - fill(room).length);
  const contents = aml.terms(body, filler);
  return table('DSDT', 1, HEADER_SIZE + contents.length, ({ array }) =>
    array.set(contents, HEADER_SIZE),
  );
};

/** Revision 1: no reset register; an operating system resets through port 0x64. */
const fadt = (pmBase: number): Uint8Array =>
  table('FACP', 1, 116, ({ array, view }) => {
    view.setUint32(36, 0, true);
    view.setUint32(40, FACS_SIZE, true);
    array[44] = 1;
    view.setUint16(46, 9, true);
    view.setUint32(48, 0xb2, true);
    array[52] = ACPI_ENABLE;
    array[53] = ACPI_DISABLE;
    view.setUint32(56, pmBase, true);
    view.setUint32(64, pmBase + 4, true);
    view.setUint32(76, pmBase + 8, true);
    view.setUint32(80, GPE0_BASE, true);
    array[88] = 4;
    array[89] = 2;
    array[91] = 4;
    array[92] = GPE0_LENGTH;
    // C2 and C3 latencies beyond their limits: not supported.
    view.setUint16(96, 0x0fff, true);
    view.setUint16(98, 0x0fff, true);
    array[108] = 0x32;
    // WBINVD, C1, sleep button absent, RTC not fixed, 32-bit PM timer no, PM timer not behind a platform clock.
    view.setUint32(112, 0x0000_80a5, true);
  });

const madt = (cpus: number): Uint8Array => {
  const overrides = 1 + LEVEL_IRQS.length;
  const size = HEADER_SIZE + 8 + cpus * 8 + 12 + overrides * 10 + 6;
  return table('APIC', 1, size, ({ array, view }) => {
    view.setUint32(36, LOCAL_APIC_BASE, true);
    // PC-AT compatible: there is a pair of 8259A.
    view.setUint32(40, 1, true);
    let at = HEADER_SIZE + 8;
    for (let cpu = 0; cpu < cpus; cpu++) {
      array.set([0, 8, cpu, cpu, 1, 0, 0, 0], at);
      at += 8;
    }
    array.set([1, 12], at);
    view.setUint32(at + 4, IO_APIC_BASE, true);
    at += 12;
    const override = (irq: number, pin: number, flags: number): void => {
      array.set([2, 10, 0, irq], at);
      view.setUint32(at + 4, pin, true);
      view.setUint16(at + 8, flags, true);
      at += 10;
    };
    override(0, 2, 0);
    for (const irq of LEVEL_IRQS) override(irq, irq, POLARITY_HIGH_LEVEL);
    // NMI at LINT1 of every processor.
    array.set([4, 6, 0xff, 0, 0, 1], at);
  });
};

const hpetTable = (): Uint8Array =>
  table('HPET', 1, 56, ({ view }) => {
    view.setUint32(36, HPET_ID, true);
    view.setUint32(44, HPET_BASE, true);
  });

/** Windows ACPI emulated devices table: the PM timer is good at the first read. */
const waet = (): Uint8Array => table('WAET', 1, 40, ({ view }) => view.setUint32(36, 2, true));

/** The three files for `etc/acpi/rsdp`, `etc/acpi/tables` and `etc/table-loader`. */
export const buildAcpiFiles = (options: AcpiTableOptions): AcpiFiles => {
  const commands: LoaderCommand[] = [
    { kind: 'allocate', file: RSDP_FILE, alignment: 16, zone: ZONE.FSEG },
    { kind: 'allocate', file: TABLES_FILE, alignment: 64, zone: ZONE.HIGH },
  ];
  const tables = new Uint8Array(TABLES_SIZE);
  let at = 0;
  const place = (bytes: Uint8Array): number => {
    const start = at;
    tables.set(bytes, start);
    at += bytes.length;
    return start;
  };
  const checksum = (start: number, length: number): void => {
    commands.push({
      kind: 'checksum',
      file: TABLES_FILE,
      offset: start + CHECKSUM_OFFSET,
      start,
      length,
    });
  };
  const pointer = (offset: number): void => {
    commands.push({ kind: 'pointer', target: TABLES_FILE, source: TABLES_FILE, offset, size: 4 });
  };
  const sealed = (bytes: Uint8Array): number => {
    const start = place(bytes);
    checksum(start, bytes.length);
    return start;
  };

  place(facs());
  sealed(dsdt(options));
  const fadtBytes = fadt(options.pmBase);
  const fadtStart = place(fadtBytes);
  pointer(fadtStart + 36);
  pointer(fadtStart + 40);
  checksum(fadtStart, fadtBytes.length);
  const listed = [fadtStart, sealed(madt(options.cpus))];
  if (options.hpet) listed.push(sealed(hpetTable()));
  listed.push(sealed(waet()));

  const rsdt = table('RSDT', 1, HEADER_SIZE + 4 * listed.length, ({ view }) =>
    listed.forEach((start, i) => view.setUint32(HEADER_SIZE + 4 * i, start, true)),
  );
  const rsdtStart = place(rsdt);
  listed.forEach((_, i) => pointer(rsdtStart + HEADER_SIZE + 4 * i));
  checksum(rsdtStart, rsdt.length);

  const rsdp = bytesOf(20);
  rsdp.array.set(new TextEncoder().encode('RSD PTR '));
  rsdp.array.set(new TextEncoder().encode('BOCHS '), 9);
  rsdp.view.setUint32(16, rsdtStart, true);
  commands.push(
    { kind: 'pointer', target: RSDP_FILE, source: TABLES_FILE, offset: 16, size: 4 },
    { kind: 'checksum', file: RSDP_FILE, offset: 8, start: 0, length: 20 },
  );
  return { rsdp: rsdp.array, tables, loader: encodeLoaderScript(commands) };
};
