/** A machine and its firmware that facts are recorded on. */
export interface Configuration {
  readonly name: ConfigurationName;
  /** The flash with the code, read-only; ends at 4 GiB. Relative paths are those of the repository. */
  readonly code: string;
  /** The flash with the variables below it; `undefined`: 128 KiB, erased. */
  readonly variables: string | undefined;
}

/** Names of the configurations. */
export type ConfigurationName = 'ovmf' | 'reference-x64';

/** Every configuration that facts are recorded on. */
export const configurations: readonly Configuration[] = [
  {
    name: 'ovmf',
    code: '/usr/share/OVMF/OVMF_CODE_4M.fd',
    variables: '/usr/share/OVMF/OVMF_VARS_4M.fd',
  },
  {
    name: 'reference-x64',
    code: 'packages/platform-baremetal/images/reference-x64.fd',
    variables: undefined,
  },
];

/** The configuration of that name. Throws where there is none, naming those there are. */
export const findConfiguration = (name: string): Configuration => {
  const found = configurations.find((one) => one.name === name);
  if (found) return found;
  const known = configurations.map((one) => one.name).join(', ');
  throw new Error(`no configuration '${name}', expected one of ${known}`);
};
