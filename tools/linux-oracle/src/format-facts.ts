import type { LinuxFacts } from './facts.ts';

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;
const isFlat = (value: unknown): boolean =>
  isPlain(value) ||
  Object.values(value as object).every(
    (member) => isPlain(member) || Object.values(member as object).every(isPlain),
  );

/** The facts as JSON, one region, variable or call a line, so that a difference is a line of the diff. */
export const formatFacts = (facts: LinuxFacts): string => {
  const format = (value: unknown, indent: string): string => {
    if (Array.isArray(value)) {
      const inner = `${indent}  `;
      const elements = value.map(
        (one: unknown) => inner + (isFlat(one) ? JSON.stringify(one) : format(one, inner)),
      );
      return value.length === 0 ? '[]' : `[\n${elements.join(',\n')}\n${indent}]`;
    }
    if (isPlain(value)) return JSON.stringify(value);
    const inner = `${indent}  `;
    const members = Object.entries(value as object).map(
      ([name, member]) => `${inner}${JSON.stringify(name)}: ${format(member, inner)}`,
    );
    return `{\n${members.join(',\n')}\n${indent}}`;
  };
  return `${format(facts, '')}\n`;
};
