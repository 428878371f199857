// Places the events of one lane on rows, so that marks and their words do not cover each other.

import { count, plain } from "./text.js";

const MOST = 5; // rows of a lane
const CHARACTER = 6.3; // px, mean width of a label's letter
const GAP = 10;

/**
 * {rows, items: [{event, row, from, to, label, labelAt}]} in px. Events outside of the shown span are left out, and what a
 * flood has beyond its foremost causes: that is no change of its own.
 */
export function pack(events, span, x, width) {
  const inside = events
    .filter((event) => event.role !== "(others)")
    .filter((event) => Date.parse(event.last_seen) >= span[0] && Date.parse(event.first_seen) <= span[1])
    .sort((a, b) => a.first_seen.localeCompare(b.first_seen) || a.event_key.localeCompare(b.event_key));
  const ends = []; // px where each row is free again
  const items = inside.map((event) => {
    const from = x(Date.parse(event.first_seen)) - (event.role === "symptom" ? 0 : 7);
    const seenTo = Math.max(x(Date.parse(event.last_seen)) + (event.role === "symptom" ? 0 : 7), from + 4);
    const text =
      event.role === "symptom" && event.count > 1
        ? `${plain(event.summary, 60)} ×${count(event.count)}`
        : plain(event.summary, 60);
    const wide = text.length * CHARACTER;
    // Words stand right of the mark, and of what a person did where that would be under them; at the right edge in the
    // silence between two bursts, or left of the mark.
    const handled = event.status_at && event.status !== "open" ? x(Date.parse(event.status_at)) + 8 : 0;
    const to = handled > seenTo && handled < seenTo + wide + 16 ? handled : seenTo;
    const labelAt = to + 6 + wide <= width ? to + 6 : (between(event, x, wide) ?? from - 6 - wide);
    const first = Math.min(from, labelAt);
    const last = Math.max(to, labelAt + wide);
    let row = ends.findIndex((end) => end <= first);
    if (row < 0) row = ends.length < MOST ? ends.length : ends.indexOf(Math.min(...ends));
    const crowded = ends[row] !== undefined && ends[row] > first;
    ends[row] = Math.max(ends[row] ?? 0, (crowded ? to : last) + GAP);
    return { event, row, from, to, label: crowded || labelAt < 0 ? "" : text, labelAt };
  });
  return { rows: Math.max(ends.length, 1), items };
}

/** px where words of this width fit into the silence between two bursts, or null. */
function between(event, x, wide) {
  for (let i = 1; i < event.bursts.length; i++) {
    const [from, to] = [x(Date.parse(event.bursts[i - 1][1])), x(Date.parse(event.bursts[i][0]))];
    if (to - from > wide + 16) return from + 8;
  }
  return null;
}
