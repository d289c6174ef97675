// Pure: who of a team is looked at first, and how somebody stands.

// Format: an order of urgency.
export const OVER = 0;
export const WARN = 1;
export const WAIT = 2;
export const CALM = 3;
export const BLIND = 4; // nobody tells of them any more, or ever did

const PRESENCES = ["ready", "on_break", "offline"];
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

// Codes with numbers in them in the order people count in: w9 before w10.
const natural = (a, b) => a.localeCompare(b, "en", { numeric: true });

// The promise that holds for all of a team, {limit, warning} in ms; null where its contracts differ or state none. Of
// several warnings the first, as on a tile of several queues.
export function promiseOf(teams) {
  const [first, ...rest] = teams;
  const limit = (tile) => tile.first_response_limit_ms;
  if (first === undefined || limit(first) === null || rest.some((tile) => limit(tile) !== limit(first))) return null;
  const warnings = teams.map((tile) => tile.warning_after_ms).filter((warning) => warning !== null);
  return { limit: limit(first), warning: warnings.length === 0 ? null : Math.min(...warnings) };
}

// How urgent a person's waits are at `now`, and how many ms are left until the first is due (negative: over by).
export function urgency(person, promise, now) {
  if (person.presence === null || person.stale_since !== null) return { rank: BLIND, left: null };
  const left = person.due_at === null ? null : person.due_at - now;
  if (left !== null && left < 0) return { rank: OVER, left };
  if (person.waiting === 0) return { rank: CALM, left: null };
  const warns = left !== null && promise !== null && promise.warning !== null && left <= promise.limit - promise.warning;
  return { rank: warns ? WARN : WAIT, left };
}

// How long a break has been longer than it is meant to be, ms; 0 while it is not.
export function breakOverrun(person, limitMs, now) {
  if (person.presence !== "on_break" || person.since === null || person.stale_since !== null) return 0;
  return Math.max(0, now - person.since - limitMs);
}

// Keys of people: by when they are due, then by how long somebody waits, then breaks that are too long, then the rest.
export function inOrder(people, breakLimitMs, now) {
  const last = Infinity;
  const blind = (person) => (person.presence === null ? 2 : person.stale_since !== null ? 1 : 0);
  const entries = Object.entries(people).map(([key, person]) => ({
    key,
    blind: blind(person),
    due: person.due_at === null ? last : person.due_at,
    wait: person.oldest_since === null ? last : person.oldest_since,
    overrun: breakOverrun(person, breakLimitMs, now) > 0 ? person.since : last,
    presence: PRESENCES.indexOf(person.presence),
    id: person.id,
  }));
  const fields = ["blind", "due", "wait", "overrun", "presence"];
  entries.sort((a, b) => {
    const field = fields.find((name) => a[name] !== b[name]);
    return field === undefined ? natural(a.id, b.id) : compare(a[field], b[field]);
  });
  return entries.map((entry) => entry.key);
}

// What all of a team owe together: {waiting, overdue, oldest, breaks, overruns, followed}; oldest: since when, or null.
export function together(people, promise, breakLimitMs, now) {
  const all = Object.values(people).filter((person) => urgency(person, promise, now).rank !== BLIND);
  const since = all.map((person) => person.oldest_since).filter((instant) => instant !== null);
  const over = (person) => urgency(person, promise, now).rank === OVER;
  return {
    known: all.length,
    people: Object.keys(people).length,
    waiting: all.reduce((sum, person) => sum + person.waiting, 0),
    overdue: all.reduce((sum, person) => sum + (over(person) ? Math.max(person.overdue, 1) : 0), 0),
    oldest: since.length === 0 ? null : Math.min(...since),
    ready: all.filter((person) => person.presence === "ready").length,
    breaks: all.filter((person) => person.presence === "on_break").length,
    overruns: all.filter((person) => breakOverrun(person, breakLimitMs, now) > 0).length,
    followed: Object.values(people).filter((person) => person.followed_at !== null).length,
  };
}

// The staff number as it is shown: an account that the roster does not map stands for itself, as the name it spells.
export const shownId = (person) => (person.id.startsWith("~") ? spelled(person.id.slice(1)) : person.id);

// As `readable` of wire/spelling.py: `~` and two hex digits are a byte of what no id may hold.
const spelled = (id) => id.replace(/(?:~[0-9A-F]{2})+/g, read).replace(/^n(?=[^\w.:@/~-])/, "");

function read(escaped) {
  try {
    const text = decodeURIComponent(escaped.replace(/~/g, "%"));
    return /[\w.:@/-]/.test(text.replace(/_/g, "")) ? escaped : text;
  } catch {
    return escaped;
  }
}
