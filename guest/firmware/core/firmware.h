// The boot services core: what its files offer one another.
#pragma once
#include "handover.h"
#include "memory.h"

// debug-log.c: text for whoever listens on the debug port; nothing is formatted when nobody does.
void log_start(void);
void log_text(const char *text);
void log_value(const char *name, UINT64 value);

// platform.c: the chipset set up as firmware has to leave it.
void platform_start(void);
void pm_timer_wait(UINTN microseconds);
_Noreturn
void platform_halt(const char *why);

// paging.c (x64): maps RAM above 4 GiB one to one, as reset.S did below.
void paging_start(void);

// fw-cfg.c: the items by which the machine describes itself (QEMU's fw_cfg device).
bool fw_cfg_start(void);
UINT32 fw_cfg_item32(UINT16 item);
void fw_cfg_read(UINT16 item, void *to, UINTN size);
bool fw_cfg_find(const char *name, UINT16 *item, UINT32 *size);

// memory-map.c and pool.c
void memory_map_start(void);
void memory_map_add(UINT32 type, UINT64 start, UINT64 pages, UINT64 attribute);
// The regions an operating system has to map for runtime services; returns how many.
UINTN memory_map_runtime_regions(RuntimeRegion *regions, UINTN capacity);
// Everything in the map, neighbours of any type joined.
UINTN memory_map_known_regions(RuntimeRegion *regions, UINTN capacity);
UINTN memory_map_regions_of(UINT32 type, RuntimeRegion *regions, UINTN capacity);
UINT64 memory_map_end(void);
bool memory_map_key_is(UINTN key);
// Whether nobody has allocated any of these bytes and they can be addressed.
bool memory_map_is_free(UINT64 start, UINT64 length);
void *allocate_pages_of(UINT32 type, UINTN pages);
EFI_STATUS EFIAPI allocate_pages(UINT32 how, UINT32 type, UINTN pages, EFI_PHYSICAL_ADDRESS *memory);
EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS memory, UINTN pages);
EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *descriptor_size,
                                 UINT32 *descriptor_version);
EFI_STATUS EFIAPI allocate_pool(UINT32 type, UINTN size, void **buffer);
EFI_STATUS EFIAPI free_pool(void *buffer);
void *allocate_pool_of(UINT32 type, UINTN size);

// event.c
EFI_TPL EFIAPI raise_tpl(EFI_TPL tpl);
void EFIAPI restore_tpl(EFI_TPL tpl);
EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, void *context, EFI_EVENT *event);
EFI_STATUS EFIAPI create_event_ex(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, const void *context,
                                  const EFI_GUID *group, EFI_EVENT *event);
EFI_STATUS EFIAPI signal_event(EFI_EVENT event);
EFI_STATUS EFIAPI close_event(EFI_EVENT event);
EFI_STATUS EFIAPI check_event(EFI_EVENT event);
EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *events, UINTN *index);
void signal_event_group(const EFI_GUID *group);
extern const EFI_GUID event_group_exit_boot_services;
extern const EFI_GUID event_group_before_exit_boot_services;
extern const EFI_GUID event_group_ready_to_boot;

// protocol-database.c
EFI_STATUS EFIAPI install_protocol(EFI_HANDLE *handle, const EFI_GUID *guid, UINT32 kind, void *interface);
EFI_STATUS EFIAPI reinstall_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void *old, void *interface);
EFI_STATUS EFIAPI uninstall_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void *interface);
EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void **interface);
EFI_STATUS EFIAPI open_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void **interface, EFI_HANDLE agent,
                                EFI_HANDLE controller, UINT32 attributes);
EFI_STATUS EFIAPI close_protocol(EFI_HANDLE handle, const EFI_GUID *guid, EFI_HANDLE agent, EFI_HANDLE controller);
EFI_STATUS EFIAPI locate_handle(UINT32 by, const EFI_GUID *guid, void *key, UINTN *size, EFI_HANDLE *buffer);
EFI_STATUS EFIAPI locate_handle_buffer(UINT32 by, const EFI_GUID *guid, void *key, UINTN *count, EFI_HANDLE **buffer);
EFI_STATUS EFIAPI locate_protocol(const EFI_GUID *guid, void *registration, void **interface);
EFI_STATUS EFIAPI locate_device_path(const EFI_GUID *guid, EFI_DEVICE_PATH_PROTOCOL **path, EFI_HANDLE *device);
EFI_STATUS EFIAPI protocols_per_handle(EFI_HANDLE handle, EFI_GUID ***guids, UINTN *count);
EFI_STATUS EFIAPI install_protocols(EFI_HANDLE *handle, ...);
EFI_STATUS EFIAPI uninstall_protocols(EFI_HANDLE handle, ...);
bool is_handle(EFI_HANDLE handle);
extern const EFI_GUID loaded_image_guid;
extern const EFI_GUID device_path_guid;
extern const EFI_GUID loaded_image_device_path_guid;

// pe-loader.c
typedef struct {
  UINT8 *base;
  UINTN size;
  UINTN pages;
  UINTN entry;
  UINT16 subsystem;
  const UINT8 *relocations;
  UINTN relocations_size;
} PeImage;
EFI_STATUS pe_load(const UINT8 *file, UINTN size, PeImage *image);
// Remembers a loaded runtime driver for SetVirtualAddressMap; false when memory is short.
bool pe_keep_for_runtime(const PeImage *image);
UINTN pe_memory_attributes(const RuntimeImage *image, EFI_MEMORY_DESCRIPTOR *descriptors, UINTN capacity);

// image.c
EFI_STATUS EFIAPI load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH_PROTOCOL *path, void *source,
                             UINTN size, EFI_HANDLE *image);
EFI_STATUS EFIAPI start_image(EFI_HANDLE handle, UINTN *exit_size, CHAR16 **exit_data);
EFI_STATUS EFIAPI exit_image(EFI_HANDLE handle, EFI_STATUS status, UINTN exit_size, CHAR16 *exit_data);
EFI_STATUS EFIAPI unload_image(EFI_HANDLE handle);
bool is_image(EFI_HANDLE handle);

// console.c, system-table.c, boot-services.c
void console_start(void);
extern EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL console_output;
extern EFI_SYSTEM_TABLE *system_table;
extern EFI_BOOT_SERVICES boot_services;
extern Handover *handover;
void system_table_start(void);
EFI_STATUS EFIAPI install_configuration_table(const EFI_GUID *guid, void *table);

// acpi-loader.c, smbios.c, information-tables.c
void acpi_start(void);
void smbios_start(void);
void information_tables_start(void);
void memory_attributes_refresh(void);

// initrd.c: the initial RAM disk the machine hands over (QEMU's -initrd).
void initrd_start(void);

// capsule-delivery.c: what the last operating system left for this start.
void capsules_deliver(void);

// boot-option.c: the image the machine hands over (QEMU's -kernel).
EFI_STATUS boot_from_fw_cfg(void);

// firmware.ld and reset.S
extern UINT8 core_start[], core_code_end[], core_end[], core_stack_top[];
extern const UINT8 runtime_driver[], runtime_driver_end[];

// Where the flash devices stand: their window, and the variables at its begin.
#define FLASH_WINDOW 0xfffc0000u
#define FLASH_WINDOW_PAGES 64
