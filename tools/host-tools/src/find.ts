import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { hostTools } from './tools.ts';
import type { HostTool, HostToolName } from './tools.ts';

/** Where a tool stands on this host, or what to do to get it. */
export type ToolStatus =
  | { readonly available: true; readonly path: string }
  | { readonly available: false; readonly reason: string };

const names = Object.keys(hostTools) as HostToolName[];

const isRunnable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

const isReadable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
};

const locate = (name: HostToolName, searchPath: string): string | undefined => {
  const tool: HostTool = hostTools[name];
  if (tool.file !== undefined) return isReadable(tool.file) ? tool.file : undefined;
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isRunnable);
};

/** The one command that installs the packages of these tools on Debian and Ubuntu. */
export const installCommand = (tools: readonly HostToolName[]): string =>
  `sudo apt-get install -y ${aptPackages(tools).join(' ')}`;

/** The Debian packages of these tools, each once, sorted. */
export const aptPackages = (tools: readonly HostToolName[]): readonly string[] =>
  [...new Set(tools.map((name) => hostTools[name].apt))].toSorted();

/**
 * Looks a tool up without running it.
 * @param searchPath the folders to search, in the form of the PATH variable.
 */
export const toolStatus = (
  name: HostToolName,
  searchPath: string = process.env.PATH ?? '',
): ToolStatus => {
  const path = locate(name, searchPath);
  return path === undefined
    ? { available: false, reason: `needs ${name}: ${installCommand([name])}` }
    : { available: true, path };
};

/** The tools of the table that this host lacks. */
export const missingTools = (
  searchPath: string = process.env.PATH ?? '',
): readonly HostToolName[] => names.filter((name) => !toolStatus(name, searchPath).available);
