import {
  CapsuleFlag,
  decodeCapsule,
  EFI_CAPSULE_BLOCK_DESCRIPTOR,
  EFI_CAPSULE_HEADER,
  EFI_DONE,
  EFI_PAGE_SIZE,
  efiFail,
  efiOk,
  EfiStatus,
  encodeCapsuleBlocks,
  formatDecodeError,
  pagesFor,
  physAdd,
} from '@systab/efi-core';
import type {
  CapsuleBlock,
  CapsuleCapabilities,
  CapsuleHeader,
  Efi,
  EfiFailure,
  EfiResult,
  EfiRuntimeOps,
  MemoryOps,
  PhysAddr,
  ResetType,
} from '@systab/efi-core';

/** Handing capsules to the firmware (UEFI 2.10, section 8.5.3). */
export interface Capsules {
  /**
   * Whether the firmware would take a capsule with this header, and how the machine must be reset for it.
   * EFI_INVALID_PARAMETER for flags an OS may not set, EFI_OUT_OF_RESOURCES when it is too large.
   */
  readonly supported: (header: CapsuleHeader) => EfiResult<CapsuleCapabilities>;
  /**
   * Hands over a capsule, header included. One that survives the reset is put into pages of its own with a scatter gather
   * list, which stay the firmware's on success. EFI_ABORTED once the reset has begun.
   */
  readonly update: (image: Uint8Array) => EfiResult<void>;
  /** The reset that capsules handed over wait for; undefined when none does. */
  readonly pendingReset: () => ResetType | undefined;
  /** No capsule is taken any more; called when the machine starts to go down. */
  readonly stop: () => void;
}

const { PERSIST_ACROSS_RESET, POPULATE_SYSTEM_TABLE } = CapsuleFlag;
/** Flags of the specification that an OS may set; INITIATE_RESET would take the machine away under it. */
const ALLOWED = PERSIST_ACROSS_RESET | POPULATE_SYSTEM_TABLE;
/** The upper half of the flags is the specification's, the lower half the capsule's own. */
const SPECIFIED = 0xffff_0000;
const BLOCKS_PER_PAGE = EFI_PAGE_SIZE / EFI_CAPSULE_BLOCK_DESCRIPTOR.size() - 1;
const FOUR_GIB = 1n << 32n;

const offset = (at: PhysAddr, bytes: number): PhysAddr => {
  const sum = physAdd(at, bytes);
  if (sum === undefined) throw new Error('pages beyond the end of physical memory');
  return sum;
};

/** Capsules over (guarded) services and the memory of the machine. */
export const createCapsules = (
  services: EfiRuntimeOps,
  memory: MemoryOps,
  efi: Readonly<Pick<Efi, 'width'>>,
): Capsules => {
  let pending: ResetType | undefined;
  let stopped = false;
  const allocated: { readonly at: PhysAddr; readonly pages: number }[] = [];

  const allocate = (pages: number): EfiResult<PhysAddr> => {
    const below = efi.width === 32 ? { below: FOUR_GIB } : {};
    const got = memory.allocatePages({ pages, ...below });
    if (got.ok) allocated.push({ at: got.value, pages });
    return got;
  };

  /** Writes the capsule page by page and the lists that describe it; answers where the first list is. */
  const scatter = (image: Uint8Array): EfiResult<PhysAddr> => {
    const pages = pagesFor(image.length);
    const body = allocate(pages);
    if (!body.ok) return body;
    const stored = memory.write(body.value, image);
    if (!stored.ok) return stored;
    const lists = Math.max(1, Math.ceil(pages / BLOCKS_PER_PAGE));
    const first = allocate(lists);
    if (!first.ok) return first;
    for (let list = 0; list < lists; list += 1) {
      const blocks: CapsuleBlock[] = [];
      const end = Math.min(pages, (list + 1) * BLOCKS_PER_PAGE);
      for (let page = list * BLOCKS_PER_PAGE; page < end; page += 1) {
        const start = page * EFI_PAGE_SIZE;
        blocks.push({
          length: BigInt(Math.min(EFI_PAGE_SIZE, image.length - start)),
          address: BigInt(offset(body.value, start)),
        });
      }
      const at = offset(first.value, list * EFI_PAGE_SIZE);
      const continuation = list + 1 < lists ? BigInt(offset(at, EFI_PAGE_SIZE)) : undefined;
      const wrote = memory.write(at, encodeCapsuleBlocks({ blocks, continuation }));
      if (!wrote.ok) return wrote;
    }
    return first;
  };

  const giveBack = (): void => {
    for (const { at, pages } of allocated.splice(0)) memory.freePages(at, pages);
  };

  const supported: Capsules['supported'] = (header) => {
    if ((header.flags & SPECIFIED & ~ALLOWED) !== 0) {
      return efiFail(EfiStatus.INVALID_PARAMETER, { why: 'capsule flags an OS may not set' });
    }
    const answer = services.queryCapsuleCapabilities([EFI_CAPSULE_HEADER.encode(header)], 1);
    if (!answer.ok) return answer;
    return BigInt(header.capsuleImageSize) > answer.value.maximumCapsuleSize
      ? efiFail(EfiStatus.OUT_OF_RESOURCES, {
          why: `the firmware takes at most ${String(answer.value.maximumCapsuleSize)} bytes`,
        })
      : efiOk(answer.value);
  };

  const refusal = (resetType: ResetType): EfiFailure | undefined => {
    if (stopped) {
      return efiFail(EfiStatus.ABORTED, { why: 'capsule update raced with reboot' });
    }
    if (pending === undefined || pending === resetType) return undefined;
    const why = `conflicting capsule reset type ${String(resetType)} (${String(pending)})`;
    return efiFail(EfiStatus.INVALID_PARAMETER, { why });
  };

  return Object.freeze<Capsules>({
    supported,
    update: (image) => {
      const capsule = decodeCapsule(image);
      if (!capsule.ok) {
        return efiFail(EfiStatus.INVALID_PARAMETER, { why: formatDecodeError(capsule.error) });
      }
      const header = EFI_CAPSULE_HEADER.decode(image);
      if (!header.ok) throw new Error('a decoded capsule without a header');
      const answer = supported(header.value);
      if (!answer.ok) return answer;
      const { resetType } = answer.value;
      const refused = refusal(resetType);
      if (refused !== undefined) return refused;

      const whole = image.subarray(0, header.value.capsuleImageSize);
      const persists = (header.value.flags & PERSIST_ACROSS_RESET) !== 0;
      const list = persists ? scatter(whole) : efiOk(0);
      if (!list.ok) {
        giveBack();
        return list;
      }
      const result = services.updateCapsule([whole], 1, BigInt(list.value));
      if (!result.ok) {
        giveBack();
        return result;
      }
      allocated.splice(0);
      if (persists) pending = resetType;
      return EFI_DONE;
    },
    pendingReset: () => pending,
    stop: () => {
      stopped = true;
    },
  });
};
