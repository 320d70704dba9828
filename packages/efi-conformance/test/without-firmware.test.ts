import { describeConformance } from '@systab/efi-conformance';
import { bindPlatform } from '@systab/efi-core';

// A platform that binds nothing: every member is a default, and the machine was not booted by EFI.
const platform = bindPlatform({ name: 'nothing', detect: () => 1 });

const why = 'there is no firmware';

describeConformance('a machine without firmware', {
  boot: () => ({ tables: platform }),
  lacks: {
    'firmware tables': why,
    'memory map': why,
    'virtual mode': why,
    GetTime: why,
    SetTime: why,
    GetWakeupTime: why,
    SetWakeupTime: why,
    GetVariable: why,
    GetNextVariableName: why,
    SetVariable: why,
    GetNextHighMonotonicCount: why,
    ResetSystem: why,
    UpdateCapsule: why,
    QueryCapsuleCapabilities: why,
    QueryVariableInfo: why,
    'observed calls': 'nothing is called',
    'damaged firmware': 'there is nothing to damage',
    reboot: 'there is no machine',
    'signed updates': 'nobody verifies them',
  },
});
