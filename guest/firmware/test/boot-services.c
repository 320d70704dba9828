// Boot services with the conditions the specification names (UEFI 2.10, chapter 7).
#include "report.h"

static UINTN notified;
static void EFIAPI on_signal(EFI_EVENT event, void *context) {
  (void)event;
  notified += *(UINTN *)context;
}

static void memory_test(void) {
  EFI_PHYSICAL_ADDRESS memory = 0, other;
  expect_status("AllocatePages of an unknown way", bs->AllocatePages(3, EfiLoaderData, 1, &memory), EFI_INVALID_PARAMETER);
  expect_status("AllocatePages of conventional memory", bs->AllocatePages(0, EfiConventionalMemory, 1, &memory), EFI_INVALID_PARAMETER);
  expect_status("AllocatePages of type 16", bs->AllocatePages(0, 16, 1, &memory), EFI_INVALID_PARAMETER);
  expect_status("AllocatePages to NULL", bs->AllocatePages(0, EfiLoaderData, 1, NULL), EFI_INVALID_PARAMETER);
  expect_status("AllocatePages of everything", bs->AllocatePages(0, EfiLoaderData, 0xfffff, &memory), EFI_OUT_OF_RESOURCES);
  memory = 0xffffff;
  expect_status("AllocatePages below 16 MiB", bs->AllocatePages(AllocateMaxAddress, EfiLoaderData, 3, &memory), EFI_SUCCESS);
  expect_true("is below 16 MiB", memory + 3 * EFI_PAGE_SIZE <= 0x1000000);
  other = memory;
  expect_status("AllocatePages where pages are taken", bs->AllocatePages(AllocateAddress, EfiLoaderData, 1, &other), EFI_NOT_FOUND);
  expect_status("FreePages off a page boundary", bs->FreePages(memory + 1, 1), EFI_INVALID_PARAMETER);
  expect_status("FreePages in the middle", bs->FreePages(memory + EFI_PAGE_SIZE, 1), EFI_SUCCESS);
  other = memory + EFI_PAGE_SIZE;
  expect_status("AllocatePages there", bs->AllocatePages(AllocateAddress, 0x80000001, 1, &other), EFI_SUCCESS);
  expect_status("FreePages", bs->FreePages(memory, 1), EFI_SUCCESS);
  expect_status("FreePages twice", bs->FreePages(memory, 1), EFI_NOT_FOUND);
  bs->FreePages(other, 1);
  bs->FreePages(other + EFI_PAGE_SIZE, 1);
  void *pool[3];
  bool good = true;
  for (UINTN size = 0; size < 20000; size = size * 3 + 1) {
    for (UINTN i = 0; i < 3; i++) {
      good = good && bs->AllocatePool(EfiLoaderData, size, &pool[i]) == EFI_SUCCESS && (UINTN)pool[i] % 8 == 0;
      bs->SetMem(pool[i], size, (UINT8)i);
    }
    for (UINTN i = 0; i < 3; i++) good = good && (size == 0 || ((UINT8 *)pool[i])[size - 1] == i) && bs->FreePool(pool[i]) == EFI_SUCCESS;
  }
  expect_true("AllocatePool and FreePool", good);
  expect_status("FreePool twice", bs->FreePool(pool[0]), EFI_INVALID_PARAMETER);
  expect_status("AllocatePool to NULL", bs->AllocatePool(EfiLoaderData, 1, NULL), EFI_INVALID_PARAMETER);
  UINTN size = 0;
  expect_status("GetMemoryMap without a buffer", bs->GetMemoryMap(&size, NULL, NULL, NULL, NULL), EFI_BUFFER_TOO_SMALL);
  expect_true("tells the size", size != 0 && size % 8 == 0);
  expect_status("GetMemoryMap to NULL", bs->GetMemoryMap(&size, NULL, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
}

static void event_test(void) {
  static UINTN one = 1, hundred = 100;
  EFI_EVENT event, other;
  expect_status("CreateEvent without a function", bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, NULL, NULL, &event), EFI_INVALID_PARAMETER);
  expect_status("CreateEvent of both kinds", bs->CreateEvent(0x300, TPL_CALLBACK, on_signal, &one, &event), EFI_INVALID_PARAMETER);
  expect_status("CreateEvent", bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_signal, &one, &event), EFI_SUCCESS);
  bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, on_signal, &hundred, &other);
  bs->SignalEvent(event);
  expect_true("a signal notifies", notified == 1);
  EFI_TPL tpl = bs->RaiseTPL(TPL_CALLBACK);
  bs->SignalEvent(event);
  bs->SignalEvent(other);
  expect_true("only above the task priority", tpl == TPL_APPLICATION && notified == 101);
  bs->RestoreTPL(tpl);
  expect_true("the rest when it is restored", notified == 102);
  expect_status("CheckEvent of a signal event", bs->CheckEvent(event), EFI_INVALID_PARAMETER);
  expect_status("CloseEvent", bs->CloseEvent(event), EFI_SUCCESS);
  expect_status("CloseEvent twice", bs->CloseEvent(event), EFI_INVALID_PARAMETER);
  bs->CloseEvent(other);
  bs->CreateEvent(0, 0, NULL, NULL, &event);
  expect_status("CheckEvent before a signal", bs->CheckEvent(event), EFI_NOT_READY);
  bs->SignalEvent(event);
  expect_status("CheckEvent after it", bs->CheckEvent(event), EFI_SUCCESS);
  bs->CloseEvent(event);
}

static void protocol_test(EFI_HANDLE image) {
  static const EFI_GUID text = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID;
  static const EFI_GUID loaded_image = EFI_LOADED_IMAGE_PROTOCOL_GUID;
  static const EFI_GUID mine = {0x11111111, 0x2222, 0x3333, {1, 2, 3, 4, 5, 6, 7, 8}};
  EFI_LOADED_IMAGE_PROTOCOL *self;
  void *interface;
  expect_status("LocateProtocol of text output", bs->LocateProtocol(&text, NULL, &interface), EFI_SUCCESS);
  expect_true("is the console", interface == st->ConOut);
  expect_status("HandleProtocol of the loaded image", bs->HandleProtocol(image, &loaded_image, (void **)&self), EFI_SUCCESS);
  expect_true("describes this application", self->SystemTable == st && (UINTN)expect_true - (UINTN)self->ImageBase < self->ImageSize &&
                                                self->ImageCodeType == EfiLoaderCode);
  const CHAR16 *options = self->LoadOptions;
  expect_true("load options", options && options[0] == 'o' && options[1] == 'n' && options[2] == 'e' && self->LoadOptionsSize >= 8);
  expect_status("HandleProtocol of a protocol it has not", bs->HandleProtocol(image, &mine, &interface), EFI_UNSUPPORTED);
  expect_status("HandleProtocol without a handle", bs->HandleProtocol(NULL, &mine, &interface), EFI_INVALID_PARAMETER);
  expect_status("LocateProtocol of what nobody has", bs->LocateProtocol(&mine, NULL, &interface), EFI_NOT_FOUND);
  EFI_HANDLE handle = NULL;
  expect_status("InstallMultipleProtocolInterfaces",
                bs->InstallMultipleProtocolInterfaces(&handle, &mine, &notified, &text, self, NULL), EFI_SUCCESS);
  expect_status("OpenProtocol", bs->OpenProtocol(handle, &mine, &interface, image, NULL, EFI_OPEN_PROTOCOL_GET_PROTOCOL), EFI_SUCCESS);
  expect_true("gives the interface", interface == &notified);
  expect_status("InstallProtocolInterface twice", bs->InstallProtocolInterface(&handle, &mine, 0, NULL), EFI_INVALID_PARAMETER);
  static const EFI_GUID device_path = EFI_DEVICE_PATH_PROTOCOL_GUID;
  static UINT8 disk[] = {1, 4, 5, 0, 7, 0x7f, 0xff, 4, 0};
  static UINT8 file[] = {1, 4, 5, 0, 7, 4, 4, 6, 0, 'a', 0, 0x7f, 0xff, 4, 0};
  EFI_DEVICE_PATH_PROTOCOL *path = (void *)file;
  EFI_HANDLE device = NULL;
  expect_status("LocateDevicePath of no device", bs->LocateDevicePath(&mine, &path, &device), EFI_NOT_FOUND);
  bs->InstallProtocolInterface(&handle, &device_path, 0, disk);
  expect_status("LocateDevicePath", bs->LocateDevicePath(&mine, &path, &device), EFI_SUCCESS);
  expect_true("gives device and rest", device == handle && (UINT8 *)path == file + 5);
  bs->UninstallProtocolInterface(handle, &device_path, disk);
  EFI_HANDLE *handles;
  UINTN count;
  expect_status("LocateHandleBuffer", bs->LocateHandleBuffer(ByProtocol, &text, NULL, &count, &handles), EFI_SUCCESS);
  expect_true("finds both", count == 2 && handles[1] == handle);
  bs->FreePool(handles);
  expect_status("UninstallMultipleProtocolInterfaces",
                bs->UninstallMultipleProtocolInterfaces(handle, &mine, &notified, &text, self, NULL), EFI_SUCCESS);
  expect_status("the handle is gone", bs->HandleProtocol(handle, &mine, &interface), EFI_INVALID_PARAMETER);
}

static void image_test(EFI_HANDLE image) {
  EFI_HANDLE other;
  UINT8 garbage[128] = {'M', 'Z'};
  expect_status("LoadImage of nothing", bs->LoadImage(false, image, NULL, NULL, 0, &other), EFI_INVALID_PARAMETER);
  expect_status("LoadImage of garbage", bs->LoadImage(false, image, NULL, garbage, sizeof(garbage), &other), EFI_UNSUPPORTED);
  expect_status("StartImage of no image", bs->StartImage(NULL, NULL, NULL), EFI_INVALID_PARAMETER);
}

void boot_services_test(EFI_HANDLE image) {
  report_section("boot services");
  memory_test();
  event_test();
  protocol_test(image);
  image_test(image);
  UINT32 crc;
  expect_status("CalculateCrc32", bs->CalculateCrc32((void *)"123456789", 9, &crc), EFI_SUCCESS);
  expect_true("is that of the standard", crc == 0xcbf43926);
  expect_status("CalculateCrc32 of nothing", bs->CalculateCrc32(&crc, 0, &crc), EFI_INVALID_PARAMETER);
  char text[] = "abcdef";
  bs->CopyMem(text + 1, text, 4);
  expect_true("CopyMem of memory that overlaps", memcmp(text, "aabcdf", 6) == 0);
  expect_status("SetWatchdogTimer off", bs->SetWatchdogTimer(0, 0, 0, NULL), EFI_SUCCESS);
  expect_status("Stall", bs->Stall(100), EFI_SUCCESS);
  UINT64 first, second;
  bs->GetNextMonotonicCount(&first);
  bs->GetNextMonotonicCount(&second);
  expect_true("GetNextMonotonicCount", second == first + 1);
  UINTN entries = st->NumberOfTableEntries;
  static const EFI_GUID mine = {0x11111111, 0x2222, 0x3333, {8, 7, 6, 5, 4, 3, 2, 1}};
  expect_status("InstallConfigurationTable of nothing new", bs->InstallConfigurationTable(&mine, NULL), EFI_NOT_FOUND);
  expect_status("InstallConfigurationTable", bs->InstallConfigurationTable(&mine, &crc), EFI_SUCCESS);
  expect_true("is there", st->NumberOfTableEntries == entries + 1 && st->ConfigurationTable[entries].VendorTable == &crc);
  expect_status("InstallConfigurationTable takes it away", bs->InstallConfigurationTable(&mine, NULL), EFI_SUCCESS);
  expect_true("is gone", st->NumberOfTableEntries == entries);
}
