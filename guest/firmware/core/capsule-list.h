// Scatter gather lists of capsules (UEFI 2.10, 8.5.3), written by somebody who may be anybody: nothing in them is believed. Apart from
// the rest of the core, so that it can be tested on the host.
#pragma once
#include "efi-capsule.h"

// Most data of a list, and most of its descriptors: a descriptor for each page and each page of descriptors, twice over.
#define CAPSULE_LIST_MAX_SIZE 0x1000000u
#define CAPSULE_LIST_MAX_DESCRIPTORS 0x2100u

// Given by whoever uses this: the bytes of a stretch of physical memory that is still as the operating system left it; NULL when not
// all of it is.
const UINT8 *intact_memory(UINT64 start, UINT64 length);

// Bytes that a list describes. EFI_INVALID_PARAMETER when it leaves intact memory, does not end, or is too long; EFI_NOT_FOUND when it
// describes none. The functions below are for lists that passed here, in memory that has not changed since.
EFI_STATUS capsule_list_measure(EFI_PHYSICAL_ADDRESS list, UINT64 *size);
// Lowest start of a block or descriptor that shares a byte with a stretch of memory; UINT64_MAX without one.
UINT64 capsule_list_conflict(EFI_PHYSICAL_ADDRESS list, UINT64 start, UINT64 length);
// Puts the blocks one after the other. `to` has room for all and shares no byte with the list.
void capsule_list_copy(EFI_PHYSICAL_ADDRESS list, UINT8 *to);

// Takes the header of the capsule at the begin of `size` bytes; false when no whole capsule stands there.
bool capsule_header_at(const UINT8 *bytes, UINT64 size, EFI_CAPSULE_HEADER *header);
