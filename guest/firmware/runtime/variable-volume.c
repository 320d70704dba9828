// Replacing the store survives a power cut at any moment: the new contents are complete in the spare blocks before a
// record in the working block says so, and that record stands until the copy is complete as well. The working block has
// EDK II's fault tolerant write format.
#include "variable-volume.h"
#include "flash.h"
#include "memory.h"

// Bits are set by clearing them.
#define WORKING_HEADER_SIZE 32u
#define WORKING_STATE 20u
#define WORKING_VALID 0xfe
#define WORKING_INVALID 0xfc
#define WRITE_HEADER_SIZE 40u
#define WRITE_RECORD_SIZE 40u
#define TRANSACTION_SIZE (WRITE_HEADER_SIZE + WRITE_RECORD_SIZE)
#define HEADER_ALLOCATED 0xfe
#define WRITES_ALLOCATED 0xfc
#define WRITES_COMPLETE 0xf8
#define SPARE_COMPLETE 0xfd
#define DESTINATION_COMPLETE 0xf9
#define COPY_CHUNK 64u

static const UINT8 volume_header[VOLUME_HEADER_SIZE] = {
    // Zero vector; file system GUID fff12b8d-7696-4c8b-a985-2747075b4f50.
    [16] = 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50,
    // Length, signature, attributes, header length, checksum, no extended header, revision 2.
    [32] = 0x00, 0x00, 0x02, 0x00, 0, 0, 0, 0, '_', 'F', 'V', 'H', 0xff, 0xfe, 0x04, 0x00,
    [48] = VOLUME_HEADER_SIZE, 0, 0x19, 0xf9, 0, 0, 0, 2,
    // 32 blocks of 4 KiB; end of the block map.
    [56] = 0x20, 0, 0, 0, 0x00, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static const UINT8 store_header[28] = {
    // GUID aaf32c78-947b-439a-a180-2e144ec37792; size, formatted, healthy.
    0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92,
    FLASH_STORE_SIZE & 0xff, FLASH_STORE_SIZE >> 8, 0, 0, 0x5a, 0xfe,
};

static const UINT8 working_header[WORKING_HEADER_SIZE] = {
    // GUID 9e58292b-7c68-497d-a0ce-6500fd9f1b95; checksum; state; length of the queue.
    0x2b, 0x29, 0x58, 0x9e, 0x68, 0x7c, 0x7d, 0x49, 0xa0, 0xce, 0x65, 0x00, 0xfd, 0x9f, 0x1b, 0x95,
    0x2c, 0xaf, 0x2c, 0x64, WORKING_VALID, 0xff, 0xff, 0xff, 0xe0, 0x0f, 0, 0, 0, 0, 0, 0,
};

static bool is_blank(UINT32 offset, UINT32 size) {
  for (UINT32 i = 0; i < size; i++)
    if (flash_base[offset + i] != 0xff) return false;
  return true;
}

static void erase(UINT32 offset, UINT32 size) {
  for (UINT32 at = offset; at < offset + size; at += FLASH_BLOCK_SIZE)
    if (!is_blank(at, FLASH_BLOCK_SIZE)) flash_erase_block(at);
}

static void program_byte(UINT32 offset, UINT8 value) {
  flash_program(offset, &value, 1);
}

static bool is_working_block_valid(void) {
  return memcmp(flash_base + WORKING_BLOCK, working_header, WORKING_HEADER_SIZE) == 0;
}

// Only with no replacement under way. An erasure that is cut short must not look like one, so the header goes first.
static void format_working_block(void) {
  if (is_working_block_valid()) program_byte(WORKING_BLOCK + WORKING_STATE, WORKING_INVALID);
  erase(WORKING_BLOCK, FLASH_BLOCK_SIZE);
  flash_program(WORKING_BLOCK, working_header, WORKING_HEADER_SIZE);
}

// The newest transaction in the working block, 0 when there is none.
static UINT32 last_transaction(void) {
  UINT32 last = 0;
  for (UINT32 at = WORKING_BLOCK + WORKING_HEADER_SIZE; at + TRANSACTION_SIZE <= WORKING_BLOCK + FLASH_BLOCK_SIZE;
       at += TRANSACTION_SIZE) {
    if (flash_base[at] == 0xff) break;
    last = at;
  }
  return last;
}

static void copy_spare_to_store(UINT32 transaction) {
  UINT8 chunk[COPY_CHUNK];
  erase(0, STORE_AREA_SIZE);
  for (UINT32 at = 0; at < STORE_AREA_SIZE; at += COPY_CHUNK) {
    memcpy(chunk, flash_base + SPARE_AREA + at, COPY_CHUNK);
    flash_program(at, chunk, COPY_CHUNK);
  }
  program_byte(transaction + WRITE_HEADER_SIZE, DESTINATION_COMPLETE);
  program_byte(transaction, WRITES_COMPLETE);
}

static bool is_volume_valid(void) {
  return memcmp(flash_base, volume_header, VOLUME_HEADER_SIZE) == 0 &&
         memcmp(flash_base + VOLUME_HEADER_SIZE, store_header, sizeof(store_header)) == 0;
}

void volume_open(void) {
  if (is_working_block_valid()) {
    UINT32 transaction = last_transaction();
    if (transaction && flash_base[transaction + WRITE_HEADER_SIZE] == SPARE_COMPLETE) copy_spare_to_store(transaction);
  } else {
    format_working_block();
  }
  if (is_volume_valid()) return;
  erase(0, STORE_AREA_SIZE);
  flash_program(VOLUME_HEADER_SIZE, store_header, sizeof(store_header));
  flash_program(0, volume_header, VOLUME_HEADER_SIZE);
}

// The place of the next transaction, with the working block made anew when it is full.
static UINT32 next_transaction(void) {
  UINT32 last = last_transaction();
  UINT32 next = last ? last + TRANSACTION_SIZE : WORKING_BLOCK + WORKING_HEADER_SIZE;
  if (is_working_block_valid() && next + TRANSACTION_SIZE <= WORKING_BLOCK + FLASH_BLOCK_SIZE) return next;
  format_working_block();
  return WORKING_BLOCK + WORKING_HEADER_SIZE;
}

void volume_begin_replacement(void) {
  UINT32 transaction = next_transaction();
  program_byte(transaction, HEADER_ALLOCATED);
  UINT8 fields[WRITE_HEADER_SIZE];
  memset(fields, 0xff, sizeof(fields));
  // Caller: the volume's own GUID. One write, no private data.
  memcpy(fields + 4, volume_header + 16, 16);
  memset(fields + 24, 0, 16);
  fields[24] = 1;
  flash_program(transaction, fields, sizeof(fields));
  // Block 0, offset 0, the length of the store, and how far the spare area is from it.
  memset(fields + 8, 0, 32);
  UINT64 length = STORE_AREA_SIZE, distance = SPARE_AREA;
  memcpy(fields + 24, &length, 8);
  memcpy(fields + 32, &distance, 8);
  memset(fields, 0xff, 8);
  flash_program(transaction + WRITE_HEADER_SIZE, fields, sizeof(fields));
  program_byte(transaction, WRITES_ALLOCATED);

  erase(SPARE_AREA, STORE_AREA_SIZE);
  flash_program(SPARE_AREA, volume_header, VOLUME_HEADER_SIZE);
  flash_program(SPARE_AREA + VOLUME_HEADER_SIZE, store_header, sizeof(store_header));
}

void volume_finish_replacement(void) {
  UINT32 transaction = last_transaction();
  program_byte(transaction + WRITE_HEADER_SIZE, SPARE_COMPLETE);
  copy_spare_to_store(transaction);
}
