// Facts: figures small and by name, the most telling first; a screen shows as many whole ones as there is room for.

const TOO_FEW = "warn";

// A part and its whole in time, as a share.
function timeShare(word, ratio, { w, format }, tone = "") {
  const hours = `${format.hours(ratio.part)}/${format.hours(ratio.whole)} ${w("hours")}`;
  return { tone, name: w(word), text: `${format.percent(ratio)} ${hours}` };
}

// How many of its waits somebody who leads a team looks after.
export function followedFacts(tile, { w, format }) {
  return tile.followed > 0 ? [{ tone: "ok", name: w("followed"), text: format.number(tile.followed) }] : [];
}

// The promise in the running quarter of an hour, beside that of the day; nothing while nothing of it is judged.
export function intervalFacts(tile, { w, format, fewJudged }) {
  if (tile.feed === null || tile.feed === "daily") return []; // never heard, or only of the day before
  const kept = tile.interval.attainment;
  if (kept.whole === 0) return [];
  const few = kept.whole < fewJudged;
  const text = `${format.percent(kept)} ${format.counts(kept)}${few ? ` ${w("few")}` : ""}`;
  return [{ tone: few ? "none" : "", name: w("interval"), text }];
}

// How many of those judged so far may still be missed, in conversations; nothing without a target, or of too few.
export function budgetFacts(tile, { w, format, fewJudged }) {
  const kept = tile.day.attainment;
  const target = tile.attainment_target;
  if (target === null || target.whole === 0 || kept.whole < fewJudged) return [];
  const allowed = Math.floor((kept.whole * (target.whole - target.part)) / target.whole);
  const left = allowed - (kept.whole - kept.part);
  if (left >= 0) return [{ tone: "", name: w("budget_left"), text: format.number(left) }];
  return [{ tone: "bad", name: w("budget_over"), text: format.number(-left) }];
}

// What the contract asks for.
export function targetFacts({ attainment_target: target }, { w, format }) {
  if (target === null || target.whole === 0) return [];
  return [{ tone: "", name: w("target"), text: format.target(target) }];
}

// The same conversations by other rules; nothing while there is nothing judged by them. The definition's name comes last.
export function secondFacts(tile, { w, format, fewJudged }, isNamed = true) {
  return tile.seconds
    .filter((second) => second.day.attainment.whole > 0)
    .map(({ name, day }) => {
      const kept = day.attainment;
      const few = kept.whole < fewJudged;
      const parts = [format.percent(kept), format.counts(kept), few ? w("few") : "", isNamed ? name : ""];
      return { tone: few ? "none" : "", name: w("second_figure"), text: parts.filter((part) => part !== "").join(" ") };
    });
}

// The same where there is little room: named where there are several to tell apart.
export const briefSecondFacts = (tile, tools) => secondFacts(tile, tools, tile.seconds.length > 1);

// How full hands are.
export function saturationFacts({ saturation }, { w, format }) {
  if (saturation === null || saturation.whole === 0) return [];
  const text = `${format.percent(saturation)} ${format.counts(saturation)}`;
  return [{ tone: saturation.part >= saturation.whole ? TOO_FEW : "", name: w("saturation"), text }];
}

// The same, and how much of the time at work is served.
export function loadFacts(tile, tools) {
  const { occupancy } = tile;
  const told = occupancy !== null && occupancy.whole > 0 ? [timeShare("occupancy", occupancy, tools)] : [];
  return [...saturationFacts(tile, tools), ...told];
}

// What a hole in the data may have hidden comes before everything; data without a hole comes after seats.
export function clientFacts(tile, tools) {
  const { coverage } = tile;
  const known = coverage !== null && coverage.time.whole > 0;
  const whole = known && coverage.time.part === coverage.time.whole && coverage.missing === 0;
  const told = known ? coverageFacts(coverage, whole ? "" : TOO_FEW, tools) : [];
  const promised = [...budgetFacts(tile, tools), ...targetFacts(tile, tools)];
  const facts = [...promised, ...seatFacts(tile, tools), ...secondFacts(tile, tools)];
  return [...(whole ? [...facts, ...told] : [...told, ...facts]), ...loadFacts(tile, tools)];
}

function coverageFacts({ time, worst, best }, tone, tools) {
  const { w, format } = tools;
  const facts = [timeShare("coverage", time, tools, tone)];
  if (worst === null || best === null || worst.whole === 0 || worst.part === best.part) return facts;
  const shares = `${format.percent(worst)}\u2013${format.percent(best)}`;
  const counts = `${format.number(worst.part)}\u2013${format.number(best.part)}/${format.number(best.whole)}`;
  return [...facts, { tone, name: w("attainment_bounds"), text: `${shares} ${counts}` }];
}

// People there beside the seats paid for, of all of the client; its shops are for reports.
function seatFacts(tile, tools) {
  const { w, format } = tools;
  const all = tile.staffing.find((line) => line.shop === "");
  if (all === undefined || all.staffed.whole === 0) return [];
  const people = format.one.format(all.staffed.part / all.staffed.whole);
  if (all.contracted === null) return [{ tone: "", name: w("staffed_seats"), text: people }];
  const few = all.staffed.part < all.contracted * all.staffed.whole;
  const facts = [
    { tone: few ? TOO_FEW : "", name: w("staffed_seats"), text: `${people}/${format.number(all.contracted)}` },
  ];
  if (all.shortfall_ms === null || all.shortfall_ms === 0) return facts;
  return [...facts, { tone: "", name: w("seat_shortfall"), text: `${format.hours(all.shortfall_ms)} ${w("hours")}` }];
}
