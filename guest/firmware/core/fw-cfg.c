// QEMU's fw_cfg device (docs/specs/fw_cfg): items selected by number, named files through a directory.
#include "firmware.h"
#include "port-io.h"

#define ITEM_SIGNATURE 0x00
#define ITEM_ID 0x01
#define ITEM_DIRECTORY 0x19
#define ID_DMA 2
#define DMA_READ 2
#define DMA_SELECT 8
#define DMA_ERROR 1
#define NAME_LENGTH 56

static bool has_dma;

static UINT32 swap32(UINT32 value) {
  return __builtin_bswap32(value);
}

// The control block of the DMA interface; all fields are big-endian.
typedef struct {
  UINT32 control;
  UINT32 length;
  UINT64 address;
} DmaAccess;

static void read_by_dma(UINT16 item, void *to, UINTN size) {
  volatile DmaAccess access = {
      .control = swap32((UINT32)item << 16 | DMA_SELECT | DMA_READ),
      .length = swap32((UINT32)size),
      .address = __builtin_bswap64((UINTN)to),
  };
  UINT64 where = (UINTN)&access;
  out32(PORT_FW_CFG_DMA, swap32((UINT32)(where >> 32)));
  out32(PORT_FW_CFG_DMA + 4, swap32((UINT32)where));
  while (swap32(access.control) & ~(UINT32)DMA_ERROR) continue;
}

void fw_cfg_read(UINT16 item, void *to, UINTN size) {
  if (has_dma) {
    read_by_dma(item, to, size);
    __asm__ volatile("" : : : "memory");
    return;
  }
  out16(PORT_FW_CFG_SELECT, item);
  in8_string(PORT_FW_CFG_DATA, to, size);
}

UINT32 fw_cfg_item32(UINT16 item) {
  UINT32 value = 0;
  fw_cfg_read(item, &value, sizeof(value));
  return value;
}

bool fw_cfg_start(void) {
  has_dma = false;
  if (fw_cfg_item32(ITEM_SIGNATURE) != SIGNATURE_32('Q', 'E', 'M', 'U')) return false;
  has_dma = (fw_cfg_item32(ITEM_ID) & ID_DMA) != 0;
  return true;
}

bool fw_cfg_find(const char *name, UINT16 *item, UINT32 *size) {
  struct {
    UINT32 size;
    UINT16 select;
    UINT16 reserved;
    char name[NAME_LENGTH];
  } file;
  // The directory is read entry by entry, which only the port interface can.
  out16(PORT_FW_CFG_SELECT, ITEM_DIRECTORY);
  UINT32 count;
  in8_string(PORT_FW_CFG_DATA, &count, sizeof(count));
  for (count = swap32(count); count; count--) {
    in8_string(PORT_FW_CFG_DATA, &file, sizeof(file));
    UINTN i = 0;
    while (name[i] && name[i] == file.name[i]) i++;
    if (name[i] != file.name[i]) continue;
    *size = swap32(file.size);
    *item = (UINT16)(file.select >> 8 | file.select << 8);
    return true;
  }
  return false;
}
