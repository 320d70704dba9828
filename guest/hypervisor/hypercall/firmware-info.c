// XENPF_firmware_info, type EFI_INFO (Xen 4.17, common/efi/runtime.c).
#include "platform-op.h"

static INTN vendor(XenpfEfiInfo *info) {
  const CHAR16 *name = machine_pointer(firmware.vendor);
  // Xen forgets the name where it will not call runtime services.
  if (!firmware.vendor || !options.runtime_services) return -XEN_EOPNOTSUPP;
  info->vendor.revision = firmware.firmware_revision;
  UINTN room = info->vendor.bufsz / sizeof(CHAR16);
  for (UINTN i = 0; i < room; i++) {
    if (!copy_to_guest(info->vendor.name + i * sizeof(CHAR16), &name[i], sizeof(CHAR16))) return -XEN_EFAULT;
    if (!name[i]) break;
  }
  return 0;
}

static INTN memory(XenpfEfiInfo *info) {
  for (UINTN i = 0; i < memory_descriptor_count(); i++) {
    const EFI_MEMORY_DESCRIPTOR *descriptor = memory_descriptor(i);
    UINT64 end = memory_descriptor_end(descriptor);
    if (info->mem.addr < descriptor->PhysicalStart || info->mem.addr >= end) continue;
    if (info->mem.addr + info->mem.size < info->mem.addr || info->mem.addr + info->mem.size > end)
      info->mem.size = end - info->mem.addr;
    info->mem.attr = descriptor->Attribute;
    info->mem.type = descriptor->Type;
    return 0;
  }
  return -XEN_ESRCH;
}

static INTN pci_rom(XenpfEfiInfo *info) {
  for (UINTN i = 0; i < firmware.pci_rom_count; i++) {
    const PciRom *rom = &firmware.pci_roms[i];
    if (rom->segment != info->pci_rom.segment || rom->bus != info->pci_rom.bus || rom->devfn != info->pci_rom.devfn ||
        rom->vendor != info->pci_rom.vendor || rom->device != info->pci_rom.devid)
      continue;
    info->pci_rom.address = rom->address;
    info->pci_rom.size = rom->size;
    return 0;
  }
  return -XEN_ESRCH;
}

INTN efi_get_info(UINT32 index, XenpfEfiInfo *info) {
  switch (index) {
    case XEN_FW_EFI_VERSION:
      info->version = firmware.revision;
      return 0;
    case XEN_FW_EFI_CONFIG_TABLE:
      info->cfg.addr = firmware.configuration;
      info->cfg.nent = firmware.configuration_count;
      return 0;
    case XEN_FW_EFI_VENDOR:
      return vendor(info);
    case XEN_FW_EFI_MEM_INFO:
      return memory(info);
    case XEN_FW_EFI_RT_VERSION:
      if (!runtime_enter()) return -XEN_EOPNOTSUPP;
      info->version = firmware.runtime->Hdr.Revision;
      runtime_leave();
      return 0;
    case XEN_FW_EFI_PCI_ROM:
      return pci_rom(info);
    case XEN_FW_EFI_APPLE_PROPERTIES:
      if (!firmware.apple_properties_size) return -XEN_ENODATA;
      info->apple_properties.address = firmware.apple_properties;
      info->apple_properties.size = firmware.apple_properties_size;
      return 0;
    default:
      return -XEN_EINVAL;
  }
}
