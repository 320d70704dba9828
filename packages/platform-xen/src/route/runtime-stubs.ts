/** Route `systab`: a runtime services table in the domain's memory whose pointers are machine code that makes hypercalls. */
import {
  EFI_PAGE_SIZE,
  EFI_RUNTIME_SERVICES,
  EFI_RUNTIME_SERVICES_SIGNATURE,
  EFI_TABLE_HEADER,
  efiFail,
  efiOk,
  EfiStatus,
  pagesFor,
  RUNTIME_SERVICES,
  sealEfiTable,
} from '@systab/efi-core';
import type { EfiResult } from '@systab/efi-core';
import { xen_fw_version } from '../abi/platform-op.ts';
import type { Dom0 } from '../domain/dom0.ts';
import { efiFirmwareInfo } from '../domain/efi-hypercalls.ts';
import { XEN_RUNTIME } from '../image/programs.ts';

const bytesOfBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The code, which begins with the offset of each service in the order of the table (guest/stubs/xen-runtime-table.S). */
const code = (): { readonly bytes: Uint8Array; readonly offsets: readonly number[] } => {
  const bytes = bytesOfBase64(XEN_RUNTIME);
  const view = new DataView(bytes.buffer);
  return { bytes, offsets: RUNTIME_SERVICES.map((_, index) => view.getUint32(index * 4, true)) };
};

/** Puts code and table into memory of the domain; gives the table's address. The revision is that of the firmware's own table. */
export const installRuntimeStubs = (dom0: Dom0): EfiResult<bigint> => {
  const { bytes, offsets } = code();
  const pages = pagesFor(bytes.length) + 1;
  const table = dom0.allocatePages(pages);
  if (table === undefined)
    return efiFail(EfiStatus.OUT_OF_RESOURCES, { why: 'no memory for the runtime services' });
  const start = table + BigInt(EFI_PAGE_SIZE);
  dom0.store(start, bytes);
  const version = efiFirmwareInfo(dom0, 'RT_VERSION', xen_fw_version, { version: 0 });
  const image = new Uint8Array(EFI_RUNTIME_SERVICES.size());
  image.set(
    EFI_TABLE_HEADER.encode({
      signature: EFI_RUNTIME_SERVICES_SIGNATURE,
      revision: version.ok ? version.value.version : 0,
      headerSize: image.length,
      crc32: 0,
      reserved: 0,
    }),
  );
  const view = new DataView(image.buffer);
  RUNTIME_SERVICES.forEach((service, index) => {
    const at = EFI_RUNTIME_SERVICES.offsetOf(service);
    view.setBigUint64(at, start + BigInt(offsets[index] ?? 0), true);
  });
  const sealed = sealEfiTable(image);
  if (!sealed.ok) throw new Error('a table of its own size is sealed');
  dom0.store(table, sealed.value);
  return efiOk(table);
};
