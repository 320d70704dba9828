// What the parts of the hypervisor know of each other.
#pragma once
#include "efi-tables.h"
#include "memory.h"
#include "xen-abi.h"

// --- Address space -------------------------------------------------------------------------------------------------
// All memory of the machine stands once more here, for the hypervisor alone.
#define DIRECTMAP_VIRT_START 0xffff830000000000ull

// 0 while the firmware's tables are in force, DIRECTMAP_VIRT_START afterwards.
extern UINT64 direct_base;

static inline void *machine_pointer(UINT64 address) {
  return (void *)(direct_base + address);
}

#define PAGE_SIZE 4096ull
#define PAGE_SHIFT 12
#define ROUND_UP(value, unit) (((value) + (unit)-1) & ~((UINT64)(unit)-1))
#define ROUND_DOWN(value, unit) ((value) & ~((UINT64)(unit)-1))

// Bits of page table entries. SDM Vol. 3A, 4.5.
#define PTE_PRESENT 0x001ull
#define PTE_WRITABLE 0x002ull
#define PTE_USER 0x004ull
#define PTE_PWT 0x008ull
#define PTE_PCD 0x010ull
#define PTE_ACCESSED 0x020ull
#define PTE_DIRTY 0x040ull
#define PTE_PAGE_2M 0x080ull
#define PTE_PAT_4K 0x080ull
#define PTE_PAT_2M 0x1000ull
#define PTE_NX 0x8000000000000000ull
#define PTE_ADDRESS 0x000ffffffffff000ull
#define PTE_MEMORY (PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED | PTE_DIRTY)

// Tables come from a pool of pages that was taken from the firmware.
void page_pool_start(UINT64 start, UINTN pages);
UINT64 *new_table(void);
// Maps a range, with large pages where both addresses allow. `flags` are those of a 4 KiB page.
void map_range(UINT64 *root, UINT64 virtual, UINT64 machine, UINT64 size, UINT64 flags);
// The entry of a 4 KiB page; NULL where no table reaches that far.
UINT64 *find_page_entry(UINT64 *root, UINT64 virtual);
void clear_pages(UINT64 machine, UINT64 size);
void load_root(UINT64 machine_address);
UINT64 current_root(void);

// --- Console and panics --------------------------------------------------------------------------------------------
void console_start(void);
void console_write(const char *text, UINTN length);
UINTN console_read(char *to, UINTN capacity);
// A line prefixed with (XEN). Understands %s %c %u %x %llu %llx, zero padding and width.
void printk(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

// --- Options -------------------------------------------------------------------------------------------------------
typedef struct {
  // Loader.
  bool map_boot_services;
  bool keep_boot_services;
  // Hypervisor.
  bool runtime_services;
  bool map_uncached;
  bool no_reboot;
  bool unprivileged;
  UINT64 dom0_bytes;
  char command_line[XEN_MAX_GUEST_CMDLINE];
  char dom0_command_line[XEN_MAX_GUEST_CMDLINE];
} Options;

extern Options options;

// --- What is known of the firmware -----------------------------------------------------------------------------------
#define MAX_PCI_ROMS 16

typedef struct {
  UINT16 segment;
  UINT8 bus;
  UINT8 devfn;
  UINT16 vendor;
  UINT16 device;
  UINT64 address;
  UINT64 size;
} PciRom;

typedef struct {
  EFI_STATUS status;
  UINT64 max_store_size;
  UINT64 remain_store_size;
  UINT64 max_size;
} VariableSnapshot;

// Addresses are the machine's.
typedef struct {
  UINT32 revision;
  UINT32 firmware_revision;
  UINT64 vendor;
  UINT64 configuration;
  UINT32 configuration_count;
  EFI_RUNTIME_SERVICES *runtime;
  UINT64 memory_map;
  UINTN memory_map_size;
  UINTN descriptor_size;
  VariableSnapshot variables;
  UINT64 apple_properties;
  UINT64 apple_properties_size;
  PciRom pci_roms[MAX_PCI_ROMS];
  UINTN pci_rom_count;
  UINT64 acpi_root;
} Firmware;

extern Firmware firmware;

UINTN memory_descriptor_count(void);
const EFI_MEMORY_DESCRIPTOR *memory_descriptor(UINTN index);
// First byte after it; UINT64_MAX for one that wraps.
UINT64 memory_descriptor_end(const EFI_MEMORY_DESCRIPTOR *descriptor);

#define LOW_MEMORY_END 0x100000ull
// Pages that belong to interrupt controllers: no domain may map them.
#define LOCAL_APIC 0xfee00000ull
#define IO_APIC 0xfec00000ull

// --- Host memory ---------------------------------------------------------------------------------------------------
#define MAX_E820 128

typedef struct {
  UINTN count;
  E820Entry entries[MAX_E820];
} E820Map;

extern E820Map host_e820;

void e820_build(void);
void e820_print(void);
// Type of the memory at an address; 0 where there is none.
UINT32 e820_type_at(UINT64 address);
// First frame after all memory.
UINT64 max_frame(void);

// --- Firmware calls ------------------------------------------------------------------------------------------------
// Builds the page table that the firmware is called with; prints the memory map on the way.
void runtime_memory_start(void);
// Table with the hypervisor's own mappings and the firmware's one to one mapping.
UINT64 runtime_root(void);
// False when runtime services are off; the caller answers -EOPNOTSUPP.
bool runtime_enter(void);
void runtime_leave(void);

// --- The initial domain --------------------------------------------------------------------------------------------
typedef struct {
  UINT64 start;
  UINT64 frames;
  UINT64 *root;
  UINT64 tables_start;
  UINT64 tables_end;
  UINT64 v_start;
  UINT64 v_end;
  UINT64 entry;
  UINT64 stack;
  UINT64 start_info;
  SharedInfo *shared_info;
  UINT64 shared_info_address;
  bool privileged;
} Domain;

extern Domain domain;

static inline bool domain_owns(UINT64 machine) {
  return machine >= domain.start && machine - domain.start < domain.frames * PAGE_SIZE;
}

// The kernel's ELF file at a machine address.
void domain_build(UINT64 kernel, UINTN kernel_size);
// The machine-to-frame table, which every address space shows.
void machine_to_phys_start(UINT64 address);
void wallclock_start(void);
void wallclock_set(UINT64 seconds, UINT32 nanoseconds, UINT64 system_time);

// --- Frames ----------------------------------------------------------------------------------------------------------
// What entry.S saves, lowest address first.
typedef struct {
  UINT64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
  UINT64 vector, error_code;
  UINT64 rip, cs, rflags, rsp, ss;
} Frame;

// --- Guest memory ----------------------------------------------------------------------------------------------------
// False where the guest could not reach all of it itself: -EFAULT.
bool copy_from_guest(void *to, GuestHandle from, UINTN size);
bool copy_to_guest(GuestHandle to, const void *from, UINTN size);
// Room that the firmware reads and writes instead of guest memory. Empty again with each call.
void bounce_start(UINT64 address, UINTN size);
void bounce_reset(void);
// NULL when that much is not left.
void *bounce_allocate(UINTN size);

// --- Hypercalls ------------------------------------------------------------------------------------------------------
void hypercall(Frame *frame);
INTN do_platform_op(GuestHandle op);
INTN do_memory_op(UINT32 command, GuestHandle argument);
INTN do_update_va_mapping(UINT64 virtual, UINT64 entry, UINT64 flags);
INTN do_xen_version(UINT32 command, GuestHandle argument);
INTN do_console_io(UINT32 command, INTN count, GuestHandle buffer);
INTN do_sched_op(UINT32 command, GuestHandle argument);

// --- Processor -----------------------------------------------------------------------------------------------------
// No-execute pages, SYSCALL, memory types by PAT: before the first page table of ours.
void processor_features_start(void);
void descriptors_start(void);
void trap(Frame *frame);
_Noreturn void domain_crash(const Frame *frame, const char *why);

// --- Leaving the machine ---------------------------------------------------------------------------------------------
_Noreturn void machine_restart(void);
_Noreturn void machine_halt(void);
_Noreturn void restart_unless_forbidden(void);
INTN enter_acpi_sleep(UINT16 value, UINT32 state, UINT32 flags);

// --- entry.S -------------------------------------------------------------------------------------------------------
extern char copy_guest_instruction[], copy_guest_end[];
extern char hypervisor_stack_top[], urgent_stack_top[];
// Bytes that could not be copied because of a fault.
UINTN copy_guest(void *to, const void *from, UINTN count);
_Noreturn void enter_guest(UINT64 entry, UINT64 stack, UINT64 start_info);
// Loads the table, moves to the hypervisor's own stack and goes on at `next`, an address that the table maps.
_Noreturn void enter_high(UINT64 root, void *next, void *stack);
void syscall_entry(void);
UINT64 trap_stub(UINTN vector);
