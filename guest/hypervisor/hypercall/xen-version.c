// xen_version (Xen 4.17, common/kernel.c; layouts in xen/include/public/version.h).
#include "hypervisor.h"

#define ABI_VERSION (4 << 16 | 17)

typedef struct {
  char compiler[64];
  char compile_by[16];
  char compile_domain[32];
  char compile_date[32];
} CompileInfo;

typedef struct {
  UINT32 submap_idx;
  UINT32 submap;
} FeatureInfo;

static const char extraversion[16] = ".0-systab";
static const char capabilities[1024] = "xen-3.0-x86_64";
static const CompileInfo compile_info = {"clang", "systab", "", ""};
static const char changeset[64] = "unavailable";

// What only a privileged domain may know is blanked out for others, not refused.
static INTN text(GuestHandle to, const char *from, UINTN size) {
  static const char denied[XEN_MAX_GUEST_CMDLINE] = "<denied>";
  bool is_open = domain.privileged || from == extraversion || from == capabilities;
  return copy_to_guest(to, is_open ? from : denied, size) ? 0 : -XEN_EFAULT;
}

INTN do_xen_version(UINT32 command, GuestHandle argument) {
  switch (command) {
    case XENVER_version:
      return ABI_VERSION;
    case XENVER_extraversion:
      return text(argument, extraversion, sizeof(extraversion));
    case XENVER_compile_info:
      return text(argument, (const char *)&compile_info, sizeof(compile_info));
    case XENVER_capabilities:
      return text(argument, capabilities, sizeof(capabilities));
    case XENVER_changeset:
      return text(argument, changeset, sizeof(changeset));
    case XENVER_platform_parameters: {
      UINT64 start = HYPERVISOR_VIRT_START;
      return copy_to_guest(argument, &start, sizeof(start)) ? 0 : -XEN_EFAULT;
    }
    case XENVER_get_features: {
      FeatureInfo info;
      if (!copy_from_guest(&info, argument, sizeof(info))) return -XEN_EFAULT;
      if (info.submap_idx > 1) return -XEN_EINVAL;
      // Bit 11 of the first map: this is the initial domain.
      info.submap = info.submap_idx == 0 && domain.privileged ? 1u << 11 : 0;
      return copy_to_guest(argument, &info, sizeof(info)) ? 0 : -XEN_EFAULT;
    }
    case XENVER_pagesize:
      return argument ? -XEN_EINVAL : PAGE_SIZE;
    case XENVER_guest_handle: {
      static const UINT8 handle[16];
      return copy_to_guest(argument, handle, sizeof(handle)) ? 0 : -XEN_EFAULT;
    }
    case XENVER_commandline:
      return text(argument, options.command_line, sizeof(options.command_line));
    case XENVER_build_id:
      return -XEN_ENODATA;
    default:
      return -XEN_ENOSYS;
  }
}
