// Pure: the board as the server keeps it (dashboards/wallboard/_core/board.py), and what is urgent in it.

const SCALARS = ["as_of", "computed_at", "watermark", "interval_start", "day_start", "record"];
const GROUPS = ["clients", "queues", "teams", "site_figures", "sites"];

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

const byName = (a, b) => compare(a.client, b.client) || compare(a.name, b.name) || compare(a.id, b.id);
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

// Queues in the order of the contract's book: for a screen that shows all of them, so that rows stay where they are.
export function inPlace(tiles) {
  return Object.values(tiles).sort(byName);
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
  return Object.values(sites).sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name) || compare(a.id, b.id));
}

// How an average lies in its bands: "good", "acceptable", "over_limit", or null where the contract states no band.
export function band(meanMs, tile) {
  if (tile.average_good_ms === null || tile.average_limit_ms === null) return null;
  if (meanMs <= tile.average_good_ms) return "good";
  return meanMs <= tile.average_limit_ms ? "acceptable" : "over_limit";
}
