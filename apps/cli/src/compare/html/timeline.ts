/** What travelled on a route, in order: one stripe, each call as wide as the instructions it took. */
import type { RouteRun } from '../comparison.ts';
import type { RouteEvent } from '../route.ts';
import { escape } from './page.ts';

const WIDTH = 1000;
const HEIGHT = 26;
/** Calls of one stripe: the eye needs no more, and browsers like no more. */
const MOST_EVENTS = 2000;

const colourOf = (name: string): string => {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) % 360;
  return `hsl(${String(hash)} 55% 58%)`;
};

const stripe = (events: readonly RouteEvent[], scale: number): string => {
  let x = 0;
  return events
    .slice(0, MOST_EVENTS)
    .map(({ name, through, outcome, instructions }) => {
      const width = Math.max(instructions * scale, 0.6);
      const at = x;
      x += width;
      const title = `${name} through ${through}: ${outcome}, ${String(instructions)} instructions`;
      return `<rect x="${at.toFixed(2)}" y="0" width="${Math.max(width - 0.2, 0.4).toFixed(2)}" height="${HEIGHT}" fill="${colourOf(name)}"><title>${escape(title)}</title></rect>`;
    })
    .join('');
};

const eventsOf = (run: RouteRun): readonly RouteEvent[] => [
  ...run.bootEvents,
  ...run.steps.flatMap(({ events }) => events),
];

/** The stripes of all routes on one scale. */
export const timelines = (runs: readonly RouteRun[]): string => {
  const longest = Math.max(
    ...runs.map((run) => eventsOf(run).reduce((sum, { instructions }) => sum + instructions, 0)),
    1,
  );
  return runs
    .map((run) => {
      const events = eventsOf(run);
      const sum = events.reduce((all, { instructions }) => all + instructions, 0);
      const words = `${String(events.length)} calls, ${String(sum)} instructions`;
      return `<p><b>${run.route}</b> <span class="soft">${words}</span></p><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" style="height:${HEIGHT}px" role="img" aria-label="${run.route}: ${words}">${stripe(events, (WIDTH - events.length * 0.1) / longest)}</svg>`;
    })
    .join('\n');
};
