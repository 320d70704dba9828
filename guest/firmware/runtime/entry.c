// Where the runtime driver begins: it fills in the runtime services table.
#include "runtime.h"
#include "variable-auth.h"

Handover *handover;
bool at_runtime;

static void EFIAPI enter_runtime(void) {
  at_runtime = true;
}

EFI_STATUS EFIAPI runtime_main(Handover *given);

EFI_STATUS EFIAPI runtime_main(Handover *given) {
  handover = given;
  EFI_RUNTIME_SERVICES *services = given->system_table->RuntimeServices;
  services->GetTime = get_time;
  services->SetTime = set_time;
  services->GetWakeupTime = get_wakeup_time;
  services->SetWakeupTime = set_wakeup_time;
  services->SetVirtualAddressMap = set_virtual_address_map;
  services->ConvertPointer = convert_pointer;
  services->GetVariable = get_variable;
  services->GetNextVariableName = get_next_variable_name;
  services->SetVariable = set_variable;
  services->GetNextHighMonotonicCount = get_next_high_monotonic_count;
  services->ResetSystem = reset_system;
  services->UpdateCapsule = update_capsule;
  services->QueryCapsuleCapabilities = query_capsule_capabilities;
  services->QueryVariableInfo = query_variable_info;
  seal_table(services);
  given->enter_runtime = enter_runtime;
  given->next_monotonic_count = next_monotonic_count;
  given->take_pending_capsules = capsules_take_pending;
  given->process_capsule = capsule_process;
  given->report_capsule = capsule_report;
  EFI_STATUS status = variables_start();
  if (!EFI_ERROR(status)) status = auth_start();
  if (!EFI_ERROR(status)) status = capsule_results_start();
  firmware_resource_start();
  return EFI_ERROR(status) ? status : monotonic_counter_start();
}
