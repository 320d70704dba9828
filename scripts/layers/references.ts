import { parseSync } from 'oxc-parser';

/** One place where a source file refers to a module or a file. */
export interface Reference {
  /** `import`: resolved as a module. `file`: resolved as a path beside the source, `new URL(x, import.meta.url)`. */
  readonly kind: 'import' | 'file';
  /** The specifier; absent when it is computed at run time. */
  readonly specifier: string | undefined;
  /** 1-based. */
  readonly line: number;
}

interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is AstNode =>
  typeof value === 'object' && value !== null && typeof (value as AstNode).type === 'string';

/** The text of a string literal, or of a template without substitutions. */
const literalText = (node: unknown): string | undefined => {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node.type === 'TSLiteralType') return literalText(node['literal']);
  if (node.type === 'TemplateLiteral') {
    const quasis = node['quasis'] as readonly { value: { cooked: string } }[];
    return quasis.length === 1 ? quasis[0]?.value.cooked : undefined;
  }
  return undefined;
};

/** `a.b.c` of an identifier or member chain, for recognising `require`, `import.meta.resolve`, `vi.mock`. */
const dottedName = (node: unknown): string => {
  if (!isNode(node)) return '';
  if (node.type === 'Identifier') return String(node['name']);
  if (node.type === 'MetaProperty') return 'import.meta';
  if (node.type === 'MemberExpression') {
    return `${dottedName(node['object'])}.${dottedName(node['property'])}`;
  }
  return '';
};

const loadingCalls = new Set([
  'require',
  'require.resolve',
  'import.meta.resolve',
  'vi.mock',
  'vi.doMock',
  'vi.importActual',
  'vi.importMock',
]);

/** What one syntax node refers to, if anything. */
const referenceOf = (node: AstNode): Pick<Reference, 'kind' | 'specifier'> | undefined => {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return { kind: 'import', specifier: literalText(node['source'] ?? node['argument']) };
    case 'ExportNamedDeclaration':
      return node['source'] === null
        ? undefined
        : { kind: 'import', specifier: literalText(node['source']) };
    case 'TSExternalModuleReference':
      return { kind: 'import', specifier: literalText(node['expression']) };
    case 'TSModuleDeclaration':
      return isNode(node['id']) && node['id'].type === 'Literal'
        ? { kind: 'import', specifier: literalText(node['id']) }
        : undefined;
    case 'CallExpression': {
      if (!loadingCalls.has(dottedName(node['callee']))) return undefined;
      const first = (node['arguments'] as readonly unknown[])[0];
      return { kind: 'import', specifier: literalText(first) };
    }
    case 'NewExpression': {
      const [path, base] = node['arguments'] as readonly unknown[];
      return dottedName(node['callee']) === 'URL' && dottedName(base) === 'import.meta.url'
        ? { kind: 'file', specifier: literalText(path) }
        : undefined;
    }
    default:
      return undefined;
  }
};

/**
 * Everything a TypeScript or JavaScript source refers to: value and type imports, re-exports, dynamic imports, `typeof import(…)`,
 * module augmentations, `require`, mocks, file URLs and triple-slash references.
 * Throws when the source does not parse: an unread file must not pass for a clean one.
 */
export const referencesIn = (fileName: string, source: string): readonly Reference[] => {
  const parsed = parseSync(fileName, source);
  const broken = parsed.errors[0];
  if (broken) throw new Error(`${fileName}: ${broken.message}`);
  const lineAt = (offset: number): number => source.slice(0, offset).split('\n').length;
  const found: Reference[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
    } else if (isNode(value)) {
      const reference = referenceOf(value);
      if (reference) found.push({ ...reference, line: lineAt(value.start) });
      for (const child of Object.values(value)) visit(child);
    }
  };
  visit(parsed.program);
  for (const comment of parsed.comments) {
    const match = /^\/\s*<reference\s+(types|path)\s*=\s*["']([^"']+)["']/.exec(comment.value);
    if (!match) continue;
    found.push({
      kind: match[1] === 'path' ? 'file' : 'import',
      specifier: match[2],
      line: lineAt(comment.start),
    });
  }
  return found;
};
