// The curve of the day under the slider of the past: where to look. Loaded with uPlot, and only once the past is looked at.
import { node, setText, setTone } from "./dom.js";
import { attainment } from "./figures.js";
import { Plot } from "./day_plot.js";
import { setting } from "./settings.js";

const STEP = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -4, PageUp: 4 }; // Layout: in intervals
const MINUTE_MS = 60000;
const OF_POWER = "site_power";

// What is known of one interval, by its number: {start, end, ratio, offered, target, covered, isFew, isBelow, isDark}.
export function intervalsOf(day) {
  const targets = new Map(day.targets);
  let target = null;
  return day.judged.map((whole, at) => {
    if (targets.has(at)) target = targets.get(at);
    const start = day.since + at * day.interval_ms;
    const ratio = { part: day.met[at], whole };
    const isFew = whole < day.few_judged;
    const isBelow = !isFew && target !== null && ratio.part * target.whole < target.part * whole;
    const end = start + day.interval_ms;
    const offered = day.offered[at];
    return { start, end, ratio, offered, target, covered: day.covered[at], isFew, isBelow, isDark: offered === null };
  });
}

class DayCurve extends HTMLElement {
  // `band`: has the slider. `here`: where its questions go.
  open(band, tools, here) {
    this.band = band;
    this.tools = tools;
    this.here = here;
    this.asked = 0;
    this.of = "";
    const { w } = tools;
    this.choice = node("select");
    this.choice.setAttribute("aria-label", w("day_of"));
    this.choice.addEventListener("change", () => {
      this.of = this.choice.value;
      this.ask();
    });
    this.told = node("p", "day-told");
    this.leaps = [
      [-1, "day_previous_below", "\u25c0"],
      [1, "day_next_below", "\u25b6"],
    ].map(([way, word, arrow]) => {
      const button = node("button", "", arrow, " ", w("below_target"));
      button.type = "button";
      button.setAttribute("aria-label", w(word));
      button.title = w(word);
      button.addEventListener("click", () => this.leap(way));
      return button;
    });
    this.chart = node("div", "day-chart");
    this.chart.tabIndex = 0;
    this.chart.setAttribute("role", "slider");
    this.chart.setAttribute("aria-label", w("day_curve"));
    this.chart.addEventListener("keydown", (event) => this.press(event));
    this.keys = node("p", "day-keys");
    const [before, after] = this.leaps;
    this.append(node("div", "day-head", this.choice, this.told, before, after), this.chart, this.keys);
    this.plot = new Plot(this.chart, tools, {
      wish: (instant) => band.wish(instant),
      look: (instant) => this.read(instant === null ? band.wished() : instant),
    });
    this.list = [];
    addEventListener("resize", () => this.draw());
    this.show(band.span());
  }

  // Another stretch of time, {first, last, isNewest}: asked for anew.
  show(span) {
    this.span = span;
    this.ask();
  }

  ask() {
    this.asked += 1;
    const number = this.asked;
    const query = new URLSearchParams(this.of === "" ? {} : { of: this.of });
    if (!this.span.isNewest) query.set("until", new Date(this.span.last).toISOString());
    if (this.list.length === 0) this.say("past_reading");
    fetch(`${this.here}past-day.json?${query}`, { cache: "no-store" })
      .then((answer) => answer.json().then((told) => this.take(answer.ok, told, number)))
      .catch(() => this.take(false, {}, number));
  }

  take(isShown, told, number) {
    if (number !== this.asked) return;
    if (isShown) {
      this.day = told;
      this.list = intervalsOf(told);
      this.offer();
      this.draw();
      return;
    }
    this.list = [];
    this.say(told.says === "past_busy" ? "past_busy" : "day_unreadable");
    if (told.says === "past_busy") setTimeout(() => number === this.asked && this.ask(), setting("pastRetryMs"));
  }

  say(word) {
    setText(this.told, this.tools.w(word));
    setTone(this.told, "none");
    this.leaps.forEach((button) => {
      button.hidden = true;
    });
    this.choice.hidden = this.day === undefined;
    this.keys.textContent = "";
    this.plot.clear();
  }

  // Whose curve can be had: everybody's together, each client's, each queue's.
  offer() {
    const { choices, is_together: isTogether } = this.day;
    const { w } = this.tools;
    const names = new Map(choices.map((choice) => [choice.of, this.tools.nameOf(choice)]));
    const clients = new Set(choices.map((choice) => choice.client));
    const title = ({ of, client }) =>
      of === client || clients.size === 1 ? names.get(of) : `${names.get(client)} \u00b7 ${names.get(of)}`;
    const wanted = [...(isTogether ? [{ of: "", text: w("day_together") }] : [])];
    wanted.push(...choices.map((choice) => ({ of: choice.of, text: title(choice) })));
    const known = JSON.stringify(wanted);
    if (known !== this.offered) {
      this.offered = known;
      this.choice.textContent = "";
      for (const { of, text } of wanted) this.choice.append(new Option(text, of));
    }
    this.choice.value = this.day.of;
    this.choice.hidden = wanted.length < 2;
  }

  draw() {
    if (this.list.length === 0) return;
    this.plot.draw(this.list, this.span, this.troubles());
    const hasTarget = this.list.some((each) => each.target !== null);
    this.leaps.forEach((button) => {
      button.hidden = !hasTarget;
    });
    this.legend(hasTarget);
    this.tell(this.band.wished());
  }

  // What was wrong at sites, as far as it lies in the picture.
  troubles() {
    const { w } = this.tools;
    const { first, last } = this.span;
    return this.day.troubles
      .map((each) => ({ ...each, end: each.ended_at === null ? this.day.until : each.ended_at }))
      .filter((each) => each.started_at < last && each.end > first)
      .map((each) => {
        const words = [w(each.word), this.tools.nameOf(each), each.about, each.is_planned ? w("planned") : ""];
        const shape = each.cause === OF_POWER ? "plug" : "off";
        return { start: each.started_at, end: each.end, shape, text: words.filter((part) => part).join(" ") };
      });
  }

  legend(hasTarget) {
    const { w } = this.tools;
    const key = (kind, text) => node("span", `day-key day-${kind}`, node("i"), text);
    this.keys.textContent = "";
    const target = hasTarget ? [key("target", w("target")), key("below", w("below_target"))] : [];
    const few = this.list.some((each) => each.isFew && each.ratio.whole > 0) ? [key("few", w("few"))] : [];
    const dark = this.list.some((each) => each.isDark) ? [key("dark", w("no_data"))] : [];
    const parts = [key("line", w("attainment")), ...target, ...few, key("bar", w("offered")), ...dark];
    this.keys.append(...parts, node("span", "day-key", `${w("provisional")}  \u00b7  ${w("past_known_by_now")}`));
  }

  // Where the slider is to be.
  tell(instant) {
    if (this.list.length === 0) return;
    this.plot.point(instant);
    this.read(instant);
    const { first, last } = this.span;
    const told = { valuemin: first, valuemax: last, valuenow: instant, valuetext: this.told.textContent };
    for (const [name, value] of Object.entries(told)) this.chart.setAttribute(`aria-${name}`, String(value));
    this.leaps.forEach((button, at) => {
      button.disabled = this.next(at === 0 ? -1 : 1) === undefined;
    });
  }

  // The figures of the interval around an instant, in words.
  read(instant) {
    const { w, format } = this.tools;
    const found = this.list.find((each) => each.start <= instant && instant < each.end);
    const clock = (at) => format.minute(at);
    if (found === undefined) {
      setText(this.told, `${clock(instant)}  \u00b7  ${w("no_data")}`);
      setTone(this.told, "none");
      return;
    }
    const shown = attainment(found.ratio, found.target, { ...this.tools, fewJudged: this.day.few_judged });
    const parts = [`${clock(found.start)}\u2013${clock(found.end)}`];
    parts.push(found.ratio.whole === 0 ? `${w("attainment")} ${shown.big}` : `${w("attainment")} ${shown.big} ${shown.small}`);
    if (shown.verdict) parts.push(shown.verdict);
    if (found.target !== null) parts.push(`${w("target")} ${format.target(found.target)}`);
    parts.push(found.isDark ? w("no_data") : `${w("offered")} ${format.number(found.offered)}`);
    const { part, whole } = found.covered;
    if (whole > 0 && part < whole) parts.push(`${w("coverage")} ${format.percent(found.covered)}`);
    if (found.end > this.day.until) parts.push(w("provisional"));
    const troubles = this.troubles().filter((each) => each.start < found.end && each.end > found.start);
    parts.push(...troubles.map((each) => each.text));
    setText(this.told, parts.join("  \u00b7  "));
    setTone(this.told, shown.tone || "");
  }

  // The nearest stretch below target before or after the one looked at: where it begins.
  next(way) {
    const at = this.band.wished();
    const isFresh = (each, number) => each.isBelow && !(number > 0 && this.list[number - 1].isBelow);
    const starts = this.list.filter(isFresh);
    return way > 0 ? starts.find((each) => each.start > at) : starts.reverse().find((each) => each.end <= at);
  }

  // To the end of it, where its figures are whole.
  leap(way) {
    const found = this.next(way);
    if (found !== undefined) this.band.wish(found.end - MINUTE_MS);
  }

  press(event) {
    const steps = STEP[event.key];
    const edges = { Home: this.span.first, End: this.span.last };
    if (steps === undefined && edges[event.key] === undefined) return;
    event.preventDefault();
    const ms = this.day === undefined ? 0 : this.day.interval_ms;
    this.band.wish(steps === undefined ? edges[event.key] : this.band.wished() + steps * ms);
  }
}

customElements.define("day-curve", DayCurve);
