/** A profile as a trace in Chrome's JSON format ("Trace Event Format"), which Perfetto and chrome://tracing open. */
import type { FinishedProfile, Stretch } from './boot-profile.ts';
import type { Frame, StackSample } from './cpu-sampler.ts';
import { placeOf } from './parts.ts';

/** A duration event; times in microseconds. */
interface TraceSpan {
  readonly ph: 'X';
  readonly pid: 1;
  readonly tid: number;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: Readonly<Record<string, string | number>>;
}

interface TraceName {
  readonly ph: 'M';
  readonly pid: 1;
  readonly tid: number;
  readonly name: 'process_name' | 'thread_name';
  readonly args: { readonly name: string };
}

export interface ChromeTrace {
  readonly displayTimeUnit: 'ms';
  readonly traceEvents: readonly (TraceSpan | TraceName)[];
}

/** The rows of the trace. */
const TRACK = { phases: 1, parts: 2, functions: 3 } as const;

const microseconds = (milliseconds: number): number => Math.round(milliseconds * 1e3);

const spanOf = (
  tid: number,
  name: string,
  from: number,
  to: number,
  args?: TraceSpan['args'],
): TraceSpan => ({
  ph: 'X',
  pid: 1,
  tid,
  name,
  ts: microseconds(from),
  dur: microseconds(to) - microseconds(from),
  ...(args ? { args } : {}),
});

const phaseSpans = (stretches: readonly Stretch[]): readonly TraceSpan[] =>
  stretches.map(({ phase, from, to, instructions }) =>
    spanOf(TRACK.phases, phase, from, to, { instructions }),
  );

/** Neighbours of one part, or of one device, are one span. */
const partSpans = (samples: readonly StackSample[]): readonly TraceSpan[] => {
  const spans: TraceSpan[] = [];
  let open: { name: string; from: number; to: number } | undefined;
  const close = (): void => {
    if (open) spans.push(spanOf(TRACK.parts, open.name, open.from, open.to));
  };
  for (const { at, until, stack } of samples) {
    const { part, device } = placeOf(stack);
    const name = device ?? part;
    if (open?.name === name) open.to = until;
    else {
      close();
      open = { name, from: at, to: until };
    }
  }
  close();
  return spans;
};

interface OpenFrame {
  readonly frame: Frame;
  readonly from: number;
}

/** A function that is on neighbouring stacks at the same depth, below the same callers, is one span. */
const functionSpans = (samples: readonly StackSample[]): readonly TraceSpan[] => {
  const spans: TraceSpan[] = [];
  const open: OpenFrame[] = [];
  const closeTo = (depth: number, at: number): void => {
    while (open.length > depth) {
      const { frame, from } = open.pop() as OpenFrame;
      spans.push(
        spanOf(TRACK.functions, frame.name || '(anonymous)', from, at, { url: frame.url }),
      );
    }
  };
  for (const { at, stack } of samples) {
    // Nodes of the profile are shared: a frame is the same object where its callers are the same.
    let common = 0;
    while (common < open.length && open[common]?.frame === stack[common]) common++;
    closeTo(common, at);
    for (const frame of stack.slice(common)) open.push({ frame, from: at });
  }
  closeTo(0, samples.at(-1)?.until ?? 0);
  return spans;
};

const label = (tid: number, name: TraceName['name'], text: string): TraceName => ({
  ph: 'M',
  pid: 1,
  tid,
  name,
  args: { name: text },
});

export const chromeTrace = ({ stretches, samples }: FinishedProfile): ChromeTrace => ({
  displayTimeUnit: 'ms',
  traceEvents: [
    label(0, 'process_name', 'systab boot'),
    ...Object.entries(TRACK).map(([name, tid]) => label(tid, 'thread_name', name)),
    ...phaseSpans(stretches),
    ...partSpans(samples),
    ...functionSpans(samples),
  ],
});
