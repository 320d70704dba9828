#pragma once
#include "hypervisor.h"
#include "xen-platform.h"

// 0, with results in the structure for the caller to copy back, or a negative error and nothing to copy.
INTN efi_runtime_call(XenpfEfiRuntimeCall *op);
INTN efi_get_info(UINT32 index, XenpfEfiInfo *info);
