// The boot services table and the services that belong nowhere else. UEFI 2.10, 4.4 and 7.5.
#include "firmware.h"

static EFI_STATUS EFIAPI set_timer(EFI_EVENT event, UINT32 type, UINT64 time) {
  (void)event;
  (void)type;
  (void)time;
  return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI register_protocol_notify(const EFI_GUID *guid, EFI_EVENT event, void **registration) {
  (void)guid;
  (void)event;
  (void)registration;
  return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI connect_controller(EFI_HANDLE controller, EFI_HANDLE *drivers, EFI_DEVICE_PATH_PROTOCOL *path,
                                            BOOLEAN recursive) {
  (void)controller;
  (void)drivers;
  (void)path;
  (void)recursive;
  return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI disconnect_controller(EFI_HANDLE controller, EFI_HANDLE driver, EFI_HANDLE child) {
  (void)controller;
  (void)driver;
  (void)child;
  return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI open_protocol_information(EFI_HANDLE handle, const EFI_GUID *guid, void **entries, UINTN *count) {
  (void)handle;
  (void)guid;
  (void)entries;
  (void)count;
  return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI stall(UINTN microseconds) {
  pm_timer_wait(microseconds);
  return EFI_SUCCESS;
}

// 7.5.1: a system without a watchdog says so; switching it off is no work.
static EFI_STATUS EFIAPI set_watchdog_timer(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data) {
  (void)size;
  (void)data;
  if (seconds != 0 && code != 0 && code <= 0xffff) return EFI_INVALID_PARAMETER;
  return seconds == 0 ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI calculate_crc32(void *data, UINTN size, UINT32 *crc) {
  if (!data || size == 0 || !crc) return EFI_INVALID_PARAMETER;
  *crc = crc32(data, size);
  return EFI_SUCCESS;
}

static void EFIAPI copy_mem(void *to, void *from, UINTN size) {
  memmove(to, from, size);
}

static void EFIAPI set_mem(void *to, UINTN size, UINT8 value) {
  memset(to, value, size);
}

static EFI_STATUS EFIAPI get_next_monotonic_count(UINT64 *count) {
  return handover->next_monotonic_count(count);
}

// 7.4.6. From here on nothing of this core runs any more.
static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN key) {
  static bool announced;
  if (!is_image(image)) return EFI_INVALID_PARAMETER;
  if (!announced) {
    announced = true;
    signal_event_group(&event_group_before_exit_boot_services);
  }
  if (!memory_map_key_is(key)) return EFI_INVALID_PARAMETER;
  signal_event_group(&event_group_exit_boot_services);
  __asm__ volatile("cli");
  handover->region_count = memory_map_runtime_regions(handover->regions, MAX_RUNTIME_REGIONS);
  handover->known_count = memory_map_known_regions(handover->known, MAX_RUNTIME_REGIONS);
  handover->enter_runtime();
  system_table->ConsoleInHandle = system_table->ConsoleOutHandle = system_table->StandardErrorHandle = NULL;
  system_table->ConIn = NULL;
  system_table->ConOut = system_table->StdErr = NULL;
  system_table->BootServices = NULL;
  seal_table(system_table);
  log_text("boot services have ended\n");
  memset(&boot_services, 0, sizeof(boot_services));
  return EFI_SUCCESS;
}

EFI_BOOT_SERVICES boot_services = {
    .Hdr =
        {
            .Signature = EFI_BOOT_SERVICES_SIGNATURE,
            .Revision = EFI_2_100_SYSTEM_TABLE_REVISION,
            .HeaderSize = sizeof(EFI_BOOT_SERVICES),
        },
    .RaiseTPL = raise_tpl,
    .RestoreTPL = restore_tpl,
    .AllocatePages = allocate_pages,
    .FreePages = free_pages,
    .GetMemoryMap = get_memory_map,
    .AllocatePool = allocate_pool,
    .FreePool = free_pool,
    .CreateEvent = create_event,
    .SetTimer = set_timer,
    .WaitForEvent = wait_for_event,
    .SignalEvent = signal_event,
    .CloseEvent = close_event,
    .CheckEvent = check_event,
    .InstallProtocolInterface = install_protocol,
    .ReinstallProtocolInterface = reinstall_protocol,
    .UninstallProtocolInterface = uninstall_protocol,
    .HandleProtocol = handle_protocol,
    .RegisterProtocolNotify = register_protocol_notify,
    .LocateHandle = locate_handle,
    .LocateDevicePath = locate_device_path,
    .InstallConfigurationTable = install_configuration_table,
    .LoadImage = load_image,
    .StartImage = start_image,
    .Exit = exit_image,
    .UnloadImage = unload_image,
    .ExitBootServices = exit_boot_services,
    .GetNextMonotonicCount = get_next_monotonic_count,
    .Stall = stall,
    .SetWatchdogTimer = set_watchdog_timer,
    .ConnectController = connect_controller,
    .DisconnectController = disconnect_controller,
    .OpenProtocol = open_protocol,
    .CloseProtocol = close_protocol,
    .OpenProtocolInformation = open_protocol_information,
    .ProtocolsPerHandle = protocols_per_handle,
    .LocateHandleBuffer = locate_handle_buffer,
    .LocateProtocol = locate_protocol,
    .InstallMultipleProtocolInterfaces = install_protocols,
    .UninstallMultipleProtocolInterfaces = uninstall_protocols,
    .CalculateCrc32 = calculate_crc32,
    .CopyMem = copy_mem,
    .SetMem = set_mem,
    .CreateEventEx = create_event_ex,
};
