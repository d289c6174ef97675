// Pure: the board as the server keeps it (dashboards/wallboard/_core/board.py), and what is urgent in it.

const SCALARS = ["as_of", "computed_at", "watermark", "interval_start", "day_start", "record_ahead_ms", "record"];
const GROUPS = ["clients", "queues", "teams", "site_figures", "sites", "people", "seats"];

// `view` with `delta` applied; `view` itself is left as it is.
export function applyDelta(view, delta) {
  const result = {};
  for (const name of SCALARS) result[name] = delta[name];
  for (const group of GROUPS) {
    const changes = delta.changes[group];
    if (changes === undefined) {
      result[group] = view[group];
      continue;
    }
    const tiles = new Map(Object.entries(view[group]));
    for (const [key, change] of Object.entries(changes)) {
      if (change === null) tiles.delete(key);
      else tiles.set(key, { ...(tiles.get(key) || {}), ...change });
    }
    result[group] = Object.fromEntries(tiles);
  }
  return result;
}

// Format: an order of urgency.
export const OVER = 0;
export const WARN = 1;
export const WAIT = 2;
export const CALM = 3;
export const BLIND = 4; // no live figures: T+1, or never heard

// How urgent a tile is at `now`, the instant it is due, and how many ms are left until then (negative: over by).
// Only first replies fall due: who waits for a later one counts as waiting and has no due instant.
export function urgency(tile, now) {
  const live = tile.live;
  if (live === null || tile.feed === "daily") return { rank: BLIND, due: Infinity, left: null };
  const limit = tile.first_response_limit_ms;
  const next = live.next_due_at === null ? Infinity : live.next_due_at;
  const due = live.overdue > 0 && live.overdue_since !== null ? live.overdue_since : next;
  const left = due === Infinity ? null : due - now;
  if (live.overdue > 0 || (left !== null && left < 0)) return { rank: OVER, due, left };
  if (live.waiting === 0) return { rank: CALM, due, left: null };
  const warning = tile.warning_after_ms;
  const warns = left !== null && limit !== null && warning !== null && left <= limit - warning;
  return { rank: warns ? WARN : WAIT, due, left };
}

// A queue that has live numbers, and not ones from before its feeds fell silent.
export const isLive = (tile) => tile.live !== null && tile.feed !== "daily" && tile.stale_since === null;

// What must be answered now, over all live queues: {queues, live, waiting, overdue, oldest}. oldest: since when, or null.
export function allWaiting(tiles, now) {
  const all = Object.values(tiles);
  const live = all.filter(isLive);
  const sum = (count) => live.reduce((total, tile) => total + count(tile), 0);
  const since = live.map((tile) => tile.live.oldest_since).filter((instant) => instant !== null);
  return {
    queues: all.length,
    live: live.length,
    waiting: sum((tile) => tile.live.waiting),
    overdue: sum((tile) => overduePeople(tile, now)),
    oldest: since.length === 0 ? null : Math.min(...since),
  };
}

// A due instant may pass between two boards: then it is at least one.
export function overduePeople(tile, now) {
  return urgency(tile, now).rank === OVER ? Math.max(tile.live.overdue, 1) : 0;
}

// As above, of a tile that is heard of: numbers from before its feeds fell silent call nobody.
export function overdueNow(tile, now) {
  return tile.stale_since === null ? overduePeople(tile, now) : 0;
}

// `place`: where a layout puts it.
const byName = (a, b) => compare(a.place || 0, b.place || 0) || byItsName(a, b);
const byItsName = (a, b) => compare(a.client, b.client) || natural(a, b);
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
// Team 2 comes before Team 10.
const NATURAL = new Intl.Collator("en", { numeric: true });
const natural = (a, b) => NATURAL.compare(a.name, b.name) || compare(a.id, b.id);

// Tiles in the order of the contract's book: for a screen that shows all of them, so that they stay where they are.
export function inPlace(tiles) {
  return Object.values(tiles).sort(byName);
}

// How much a tile is in trouble: "warn" where many wait at once, "bad" where somebody is overdue, else "".
export function tileTrouble(tile, now) {
  if (tile.surge !== null) return "warn";
  return overdueNow(tile, now) > 0 ? "bad" : "";
}

// Tiles with a surge first, then those with somebody overdue: they keep their place while seconds pass.
export function byTrouble(tiles, now) {
  const order = ["warn", "bad", ""];
  return Object.values(tiles)
    .map((tile) => ({ tile, rank: order.indexOf(tileTrouble(tile, now)) }))
    .sort((a, b) => a.rank - b.rank || byName(a.tile, b.tile))
    .map((entry) => entry.tile);
}

// What of `calm` and `urgent` there is room for on the page `turn`, counted on for ever. Urgent ones stay where all of
// them fit, and the others turn in the room they leave; else the urgent ones turn. Every page is full.
export function turned(urgent, calm, room, turn) {
  const kept = urgent.length < room ? urgent : [];
  const turning = urgent.length < room ? calm : urgent;
  const size = Math.max(1, room - kept.length);
  const start = (turn % Math.max(1, Math.ceil(turning.length / size))) * size;
  const from = Math.max(0, Math.min(start, turning.length - size));
  return [...kept, ...turning.slice(from, from + size)];
}

// Queues by urgency: for a screen that cannot show all of them.
export function byUrgency(tiles, now) {
  return Object.values(tiles)
    .map((tile) => ({ tile, ...urgency(tile, now) }))
    .sort((a, b) => a.rank - b.rank || (a.due === b.due ? 0 : a.due - b.due) || byName(a.tile, b.tile))
    .map((entry) => entry.tile);
}

const SITE_ORDER = ["power_lost", "isolated", "silent", "on_battery", "redundancy_lost", "degraded", "unknown"];

export const siteIsFine = (site) => site.state === "ok";

export function sitesByUrgency(sites) {
  const rank = (site) => (siteIsFine(site) ? SITE_ORDER.length + 1 : (SITE_ORDER.indexOf(site.state) + 1 || 1));
  return Object.values(sites).sort((a, b) => rank(a) - rank(b) || compare(a.place || 0, b.place || 0) || natural(a, b));
}

// How an average lies in its bands: "good", "acceptable", "over_limit", or null where the contract states no band.
export function band(meanMs, tile) {
  if (tile.average_good_ms === null || tile.average_limit_ms === null) return null;
  if (meanMs <= tile.average_good_ms) return "good";
  return meanMs <= tile.average_limit_ms ? "acceptable" : "over_limit";
}
