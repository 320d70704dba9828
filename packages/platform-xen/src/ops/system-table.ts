/** A system table made of what the hypervisor says about the firmware's (Linux: arch/x86/xen/efi.c). */
import {
  decodeChar16Z,
  EFI_SYSTEM_TABLE,
  EFI_SYSTEM_TABLE_SIGNATURE,
  efiFail,
  efiOk,
  EfiStatus,
  encodeChar16Z,
  pagesFor,
  physAddr,
  sealEfiTable,
} from '@systab/efi-core';
import type { EfiResult, MemoryOps, PhysAddr } from '@systab/efi-core';
import { xen_fw_config_table, xen_fw_vendor, xen_fw_version } from '../abi/platform-op.ts';
import type { XenFwConfigTable } from '../abi/platform-op.ts';
import type { Dom0 } from '../domain/dom0.ts';
import { efiFirmwareInfo, PLATFORM_OP_SIZE } from '../domain/efi-hypercalls.ts';
import { hypercallEfiFailure } from '../domain/hypercall.ts';
import type { XenResult } from '../domain/hypercall.ts';

/** What the hypervisor says about the firmware. */
export interface FirmwareIdentity {
  /** Revision of the system table; 0 when it is not known. */
  readonly revision: number;
  /** Undefined when there is none to be had. */
  readonly vendor: string | undefined;
  readonly firmwareRevision: number;
  readonly configuration: XenFwConfigTable;
}

/** Bytes of the buffer for the vendor's name: 100 characters, as Linux has it. */
const VENDOR_SIZE = 200;
/** A pointer that nobody may follow: the runtime services are the hypervisor's. Those to boot services are as ExitBootServices left them. */
const NOT_HERE = 0xffff_ffff_ffff_ffffn;

const readVendor = (
  dom0: Dom0,
): XenResult<{ readonly vendor: string; readonly revision: number }> => {
  const [at, name] = dom0.reserveArguments([PLATFORM_OP_SIZE, VENDOR_SIZE]) ?? [];
  if (at === undefined || name === undefined)
    throw new Error('two small arguments always have room');
  const request = { revision: 0, bufsz: VENDOR_SIZE, name };
  const answer = efiFirmwareInfo(dom0, 'VENDOR', xen_fw_vendor, request, at);
  if (!answer.ok) return answer;
  const bytes = dom0.load(name, VENDOR_SIZE);
  // Cut without a mark when it is longer.
  const text = decodeChar16Z(Uint8Array.of(...bytes, 0, 0));
  if (!text.ok) throw new Error('a terminated string decodes');
  return { ok: true, value: { vendor: text.value.text, revision: answer.value.revision } };
};

/** Asks the hypervisor in Linux's order; the configuration tables decide whether there is EFI at all. */
export const identifyFirmware = (dom0: Dom0): EfiResult<FirmwareIdentity> => {
  const tables = efiFirmwareInfo(dom0, 'CONFIG_TABLE', xen_fw_config_table, { addr: 0n, nent: 0 });
  if (!tables.ok) return hypercallEfiFailure(tables.failure, 'XEN_FW_EFI_CONFIG_TABLE');
  const vendor = readVendor(dom0);
  const version = efiFirmwareInfo(dom0, 'VERSION', xen_fw_version, { version: 0 });
  return efiOk({
    revision: version.ok ? version.value.version : 0,
    vendor: vendor.ok ? vendor.value.vendor : undefined,
    firmwareRevision: vendor.ok ? vendor.value.revision : 0,
    configuration: tables.value,
  });
};

/** Where the parts of the table point, as far as it is the caller's to say. */
export interface SystemTablePointers {
  /** Default: an address that nobody may follow. */
  readonly runtimeServices?: bigint;
}

/** Writes the system table of such firmware into memory of the domain. */
export const writeSystemTable = (
  memory: Pick<MemoryOps, 'allocatePages' | 'write'>,
  identity: FirmwareIdentity,
  pointers: SystemTablePointers = {},
): EfiResult<PhysAddr> => {
  const headerSize = EFI_SYSTEM_TABLE.size();
  const vendor = encodeChar16Z(identity.vendor ?? 'UNKNOWN');
  const page = memory.allocatePages({ pages: pagesFor(headerSize + vendor.length) });
  if (!page.ok) return page;
  const table = sealEfiTable(
    EFI_SYSTEM_TABLE.encode({
      hdr: {
        signature: EFI_SYSTEM_TABLE_SIGNATURE,
        revision: identity.revision,
        headerSize,
        crc32: 0,
        reserved: 0,
      },
      firmwareVendor: BigInt(page.value + headerSize),
      firmwareRevision: identity.firmwareRevision,
      consoleInHandle: 0n,
      conIn: 0n,
      consoleOutHandle: 0n,
      conOut: 0n,
      standardErrorHandle: 0n,
      stdErr: 0n,
      runtimeServices: pointers.runtimeServices ?? NOT_HERE,
      bootServices: 0n,
      numberOfTableEntries: BigInt(identity.configuration.nent),
      configurationTable: identity.configuration.addr,
    }),
  );
  const behind = physAddr(page.value + headerSize);
  if (!table.ok || behind === undefined)
    throw new Error('a system table of its own size is sealed');
  const written = memory.write(page.value, table.value);
  if (!written.ok) return written;
  const named = memory.write(behind, vendor);
  return named.ok ? efiOk(page.value) : efiFail(EfiStatus.OUT_OF_RESOURCES);
};
