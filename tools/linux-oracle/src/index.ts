// What other packages read: the recorded facts, typed, and what their texts say.

export { configurations, findConfiguration } from './configurations.ts';
export type { Configuration, ConfigurationName } from './configurations.ts';
export { factsPath, readLinuxFacts } from './facts.ts';
export type {
  Answer,
  LinuxFacts,
  RecordedCall,
  RecordedRestart,
  RuntimeRegion,
  VariableFile,
} from './facts.ts';
export { e820Of, memoryMapOf, runtimeMapOf } from './log-lines.ts';
export type { E820Range, LoggedRegion } from './log-lines.ts';
export { parseServiceCommand, parseVariableCommand } from './commands.ts';
export type { ServiceCommand, VariableCommand } from './commands.ts';
