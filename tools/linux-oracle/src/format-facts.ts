import type { LinuxFacts } from './facts.ts';

const format = (value: unknown, indent: string): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((one: unknown) => JSON.stringify(one))
    : Object.entries(value).map(
        ([name, member]) => `${JSON.stringify(name)}: ${format(member, inner)}`,
      );
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return open + close;
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`;
};

/** The facts as JSON, one line of a log, region, variable or call a line, so that a difference is a line of the diff. */
export const formatFacts = (facts: LinuxFacts): string => `${format(facts, '')}\n`;
