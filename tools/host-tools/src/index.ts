export { setupTools, realAptHost } from './apt.ts';
export type { AptHost } from './apt.ts';
export { aptPackages, installCommand, missingTools, toolStatus } from './find.ts';
export type { ToolStatus } from './find.ts';
export { requireTool } from './require-tool.ts';
export type { SkippableContext } from './require-tool.ts';
export { hostTools } from './tools.ts';
export type { HostTool, HostToolName } from './tools.ts';
