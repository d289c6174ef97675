// What a figure looks like: text, icon and tone together, the same on every tile.
import { BLIND, CALM, OVER, WARN, band, overduePeople, urgency } from "./board.js";
import { NOTHING } from "./format.js";

const BANDS = {
  good: { tone: "good", shape: "fine" },
  acceptable: { tone: "ok", shape: "fine" },
  over_limit: { tone: "bad", shape: "bad" },
};

export function noData({ w }) {
  return { tone: "none", big: NOTHING, small: w("no_data"), verdict: "" };
}

// `verdict` is the word for the target, where the contract states one; without a target a percentage has no colour.
// Of so few that one more would turn it, it is grey and says that.
export function attainment(ratio, target, { w, format, fewJudged }) {
  if (ratio.whole === 0) return noData({ w });
  const shown = { big: format.percent(ratio), small: format.counts(ratio) };
  if (ratio.whole < fewJudged) return { ...shown, tone: "none", verdict: w("few") };
  if (target === null || target.whole === 0) return { ...shown, verdict: "" };
  const met = ratio.part * target.whole >= target.part * ratio.whole;
  const verdict = w(met ? "on_target" : "below_target");
  return { ...shown, verdict, tone: met ? "good" : "bad", shape: met ? "fine" : "bad" };
}

export function average(mean, tile, { w, format }) {
  if (mean.count === 0) return noData({ w });
  const ms = mean.total_ms / mean.count;
  const shown = { big: format.one.format(ms / 1000), unit: w("seconds") };
  const where = band(ms, tile);
  return where === null ? { ...shown, small: w("no_target") } : { ...shown, small: w(where), ...BANDS[where] };
}

export function waitingNow(tile, { w, format }) {
  if (tile.live === null) return noData({ w });
  return { big: format.number(tile.live.waiting), tone: tile.live.waiting === 0 ? "none" : "" };
}

export function oldest(tile, now, { w, format }) {
  if (tile.live === null) return noData({ w });
  if (tile.live.oldest_since === null) return { tone: "none", big: NOTHING };
  const notDue = tile.first_response_limit_ms !== null && tile.live.oldest_due_at === null;
  return { big: format.elapsed(now - tile.live.oldest_since), small: notDue ? w("not_due") : "" };
}

// How many are about to be overdue, as of the board.
function dueSoon(tile, { w, format }) {
  return tile.live.due_soon > 0 ? `${w("due_soon")} ${format.number(tile.live.due_soon)}` : w("due_soon");
}

// `late`: how many are overdue, or, where nobody is, about to be.
export function toBreach(tile, now, tools) {
  const { w, format } = tools;
  const { rank, left } = urgency(tile, now);
  if (rank === BLIND) return noData(tools);
  if (rank === CALM) return { tone: "none", shape: "fine", small: w("nobody_waiting") };
  if (rank === OVER) {
    const over = left !== null && left < 0 ? `+${format.elapsed(-left)}` : NOTHING;
    const late = overduePeople(tile, now);
    const told = `${w("overdue")} ${format.number(late)}`;
    // a phone breaks the line between both, never between a word and its number
    const parts = [told, dueSoon(tile, tools)].map((part) => part.replace(/ /g, "\u00a0"));
    const small = tile.live.due_soon > 0 ? parts.join("  ") : told;
    return { tone: "bad", shape: "bad", big: over, small, late };
  }
  if (left === null) {
    const promised = tile.first_response_limit_ms !== null;
    return { tone: "none", shape: promised ? "fine" : "wait", small: w(promised ? "nothing_due" : "no_target") };
  }
  const shown = { big: format.number(Math.ceil(left / 1000)), unit: w("seconds") };
  if (rank === WARN) return { ...shown, tone: "warn", shape: "warn", small: dueSoon(tile, tools), late: tile.live.due_soon };
  return { ...shown, tone: "", shape: "wait", small: w("in_time") };
}

// People by what they do now, in the order of the columns.
export const AGENT_STATES = ["idle", "reserved", "serving", "wrap_up", "on_break"];

export function readyPeople(counts) {
  return counts.reduce((sum, { presence, people }) => sum + (presence === "ready" ? people : 0), 0);
}

// Somebody is known by presence, and nobody takes conversations.
export const nobodyOnline = (tile) => tile.agents.length > 0 && readyPeople(tile.agents) === 0;

export function agentsByState(counts) {
  const people = new Map(AGENT_STATES.map((state) => [state, 0]));
  for (const { presence, activity, people: number } of counts) {
    const state = presence === "ready" ? activity : presence;
    if (people.has(state)) people.set(state, people.get(state) + number);
  }
  return people;
}
