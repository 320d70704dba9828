// Events and task priority levels. UEFI 2.10, 7.1. There is no timer tick: SetTimer is unsupported, and nothing runs
// but what the caller signals.
#include "firmware.h"

#define MAX_EVENTS 32
#define EVENT_SIGNATURE SIGNATURE_32('e', 'v', 'n', 't')

typedef struct {
  UINT32 signature;
  UINT32 type;
  EFI_TPL tpl;
  EFI_EVENT_NOTIFY notify;
  void *context;
  bool has_group;
  EFI_GUID group;
  bool signaled;
  bool pending;
} Event;

const EFI_GUID event_group_exit_boot_services = {
    0x27abf055, 0xb1b8, 0x4c26, {0x80, 0x48, 0x74, 0x8f, 0x37, 0xba, 0xa2, 0xdf}};
const EFI_GUID event_group_before_exit_boot_services = {
    0x8be0e274, 0x3970, 0x4b44, {0x80, 0xc5, 0x1a, 0xb9, 0x50, 0x2f, 0x3b, 0xfc}};
const EFI_GUID event_group_ready_to_boot = {
    0x7ce88fb3, 0x4bd7, 0x4679, {0x87, 0xa8, 0xa8, 0xd8, 0xde, 0xe5, 0x0d, 0x2b}};
static const EFI_GUID event_group_virtual_address_change = {
    0x13fa7698, 0xc831, 0x49c7, {0x87, 0xea, 0x8f, 0x43, 0xfc, 0xc2, 0x51, 0x96}};

static Event events[MAX_EVENTS];
static EFI_TPL current_tpl = TPL_APPLICATION;

static bool is_event(const Event *event) {
  return event >= events && event < events + MAX_EVENTS && event->signature == EVENT_SIGNATURE;
}

// Runs notification functions above the current level, the highest level first (7.1, table 7.2).
static void dispatch(void) {
  for (;;) {
    Event *next = NULL;
    for (Event *event = events; event < events + MAX_EVENTS; event++)
      if (event->pending && event->tpl > current_tpl && (!next || event->tpl > next->tpl)) next = event;
    if (!next) return;
    EFI_TPL saved = current_tpl;
    current_tpl = next->tpl;
    next->pending = false;
    if (next->type & EVT_NOTIFY_SIGNAL) next->signaled = false;
    next->notify(next, next->context);
    current_tpl = saved;
  }
}

EFI_TPL EFIAPI raise_tpl(EFI_TPL tpl) {
  EFI_TPL old = current_tpl;
  current_tpl = tpl;
  return old;
}

void EFIAPI restore_tpl(EFI_TPL tpl) {
  current_tpl = tpl;
  dispatch();
}

// Events for the change to virtual addresses are run by the runtime driver, which outlives this core.
static bool keep_for_runtime(Event *event) {
  AddressChangeEvent *kept = allocate_pool_of(EfiRuntimeServicesData, sizeof(AddressChangeEvent));
  if (!kept) return false;
  *kept = (AddressChangeEvent){handover->address_change, event, event->notify, event->context};
  handover->address_change = kept;
  return true;
}

static void forget_for_runtime(const Event *event) {
  for (AddressChangeEvent **link = &handover->address_change; *link; link = &(*link)->next)
    if ((*link)->event == event) {
      AddressChangeEvent *kept = *link;
      *link = kept->next;
      free_pool(kept);
      return;
    }
}

static bool is_address_change(const Event *event) {
  return event->type == EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE ||
         (event->has_group && same_guid(&event->group, &event_group_virtual_address_change));
}

EFI_STATUS EFIAPI create_event_ex(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, const void *context,
                                  const EFI_GUID *group, EFI_EVENT *result) {
  if (!result) return EFI_INVALID_PARAMETER;
  bool exit_event = type == EVT_SIGNAL_EXIT_BOOT_SERVICES;
  bool address_event = type == EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE;
  if (group && (exit_event || address_event)) return EFI_INVALID_PARAMETER;
  if (!exit_event && !address_event && type & ~(EVT_TIMER | EVT_RUNTIME | EVT_NOTIFY_WAIT | EVT_NOTIFY_SIGNAL))
    return EFI_INVALID_PARAMETER;
  if ((type & EVT_NOTIFY_WAIT) && (type & EVT_NOTIFY_SIGNAL)) return EFI_INVALID_PARAMETER;
  if (type & (EVT_NOTIFY_WAIT | EVT_NOTIFY_SIGNAL) && (!notify || tpl <= TPL_APPLICATION || tpl >= TPL_HIGH_LEVEL))
    return EFI_INVALID_PARAMETER;
  if (type & EVT_TIMER) return EFI_UNSUPPORTED;
  Event *event = events;
  while (event < events + MAX_EVENTS && event->signature == EVENT_SIGNATURE) event++;
  if (event == events + MAX_EVENTS) return EFI_OUT_OF_RESOURCES;
  *event = (Event){.signature = EVENT_SIGNATURE, .type = type, .tpl = tpl, .notify = notify, .context = (void *)context};
  if (group || exit_event) {
    event->has_group = true;
    event->group = group ? *group : event_group_exit_boot_services;
  }
  if (is_address_change(event) && !keep_for_runtime(event)) {
    event->signature = 0;
    return EFI_OUT_OF_RESOURCES;
  }
  *result = event;
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, void *context, EFI_EVENT *event) {
  return create_event_ex(type, tpl, notify, context, NULL, event);
}

static void signal_one(Event *event) {
  if (event->signaled) return;
  event->signaled = true;
  if (event->type & EVT_NOTIFY_SIGNAL) event->pending = true;
}

void signal_event_group(const EFI_GUID *group) {
  for (Event *event = events; event < events + MAX_EVENTS; event++)
    if (event->signature == EVENT_SIGNATURE && event->has_group && same_guid(&event->group, group)) signal_one(event);
  dispatch();
}

EFI_STATUS EFIAPI signal_event(EFI_EVENT handle) {
  Event *event = handle;
  if (!is_event(event)) return EFI_INVALID_PARAMETER;
  if (event->has_group) {
    signal_event_group(&event->group);
    return EFI_SUCCESS;
  }
  signal_one(event);
  dispatch();
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI close_event(EFI_EVENT handle) {
  Event *event = handle;
  if (!is_event(event)) return EFI_INVALID_PARAMETER;
  if (is_address_change(event)) forget_for_runtime(event);
  *event = (Event){0};
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI check_event(EFI_EVENT handle) {
  Event *event = handle;
  if (!is_event(event) || event->type & EVT_NOTIFY_SIGNAL) return EFI_INVALID_PARAMETER;
  if (!event->signaled && event->type & EVT_NOTIFY_WAIT) {
    event->pending = true;
    dispatch();
  }
  if (!event->signaled) return EFI_NOT_READY;
  event->signaled = false;
  return EFI_SUCCESS;
}

// Without a timer nothing can become signaled while nothing runs: waiting longer than one look would never end.
EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *list, UINTN *index) {
  if (count == 0 || !list || !index) return EFI_INVALID_PARAMETER;
  if (current_tpl != TPL_APPLICATION) return EFI_UNSUPPORTED;
  for (UINTN i = 0; i < count; i++) {
    EFI_STATUS status = check_event(list[i]);
    if (status == EFI_NOT_READY) continue;
    *index = i;
    return status;
  }
  return EFI_UNSUPPORTED;
}
