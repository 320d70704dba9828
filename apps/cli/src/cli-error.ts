import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** A failure that the user can act on. Anything else that is thrown is a defect of systab. */
export class CliError extends Error {
  /** The option, argument or file at fault. */
  readonly subject: string;
  readonly exitCode: ExitCode;

  /** @param message what was expected and what came instead, without the subject. */
  constructor(subject: string, message: string, exitCode: ExitCode = exitCodes.usage) {
    super(message);
    this.name = 'CliError';
    this.subject = subject;
    this.exitCode = exitCode;
  }
}
