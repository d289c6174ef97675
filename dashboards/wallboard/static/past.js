// The board of a past instant: one picture that stands still, and a slider to another one. Never to be taken for now.
import { addressWith } from "./address.js";
import { node, setIcon, setText } from "./dom.js";
import { setting } from "./settings.js";

const MINUTE_MS = 60000;
const HOUR_MS = 3600000;
const STEPS = [-15, -1, 1, 15]; // Layout: minutes of the buttons

// On the wallboard `/`; the portal shows the same page to those who signed in there.
const HERE = location.pathname.replace(/[^/]*$/, "");

const DAY = "/static/day.";
const UPLOT = "/static/vendor/uplot/uPlot.";

// What the curve of the day needs comes when the past is looked at, never with the live board.
function load(made) {
  return new Promise((done, failed) => {
    made.addEventListener("load", done);
    made.addEventListener("error", failed);
    document.head.append(made);
  });
}

const sheet = (href) => load(Object.assign(node("link"), { rel: "stylesheet", href }));
const script = (src, type) => load(Object.assign(node("script"), { src, type }));

const loadDay = () =>
  Promise.all([sheet(`${UPLOT}min.css`), sheet(`${DAY}css`), script(`${UPLOT}iife.es2019.js`, "text/javascript")]).then(() =>
    script(`${DAY}js`, "module"),
  );

// An instant as addresses have it.
const iso = (instant) => new Date(instant).toISOString().replace(".000Z", "Z");

// The last whole minute that is over.
export const minuteBefore = (now) => iso(Math.floor(now / MINUTE_MS) * MINUTE_MS);

// Looks like a Stream to the page: `view`, `settings`, `health`, `serverNow`.
export class Past {
  constructor(onBoard) {
    this.onBoard = onBoard;
    this.view = null;
    this.settings = null;
    this.says = "";
    this.isPast = true;
    this.open = true; // there is no link to lose
    this.asked = 0;
  }

  connect() {
    const query = new URLSearchParams(location.search);
    const wanted = new URLSearchParams({ at: query.get("at") });
    if (query.has("known_at")) wanted.set("known_at", query.get("known_at"));
    this.asked += 1;
    this.says = "past_reading";
    this.load(wanted, this.asked);
  }

  // Show another instant; what was known when is left behind.
  moveTo(instant) {
    history.replaceState(null, "", addressWith({ at: iso(instant), known_at: null }));
    this.connect();
    this.onBoard();
  }

  load(wanted, number) {
    fetch(`${HERE}past.json?${wanted}`, { cache: "no-store" })
      .then((answer) => {
        if (answer.status === 401 || answer.redirected) location.assign(addressWith({}));
        return answer.json().then((told) => this.take(answer.ok, told, wanted, number));
      })
      .catch(() => this.take(false, { says: "past_unreadable" }, wanted, number));
  }

  // Of several questions only the last one's answer counts.
  take(isShown, told, wanted, number) {
    if (number !== this.asked) return;
    this.says = isShown ? "" : told.says || "past_unreadable";
    if (isShown) this.settings = told;
    else if (this.settings !== null) this.settings.server_now = told.server_now || this.settings.server_now;
    this.view = isShown ? told.board : null;
    if (this.says === "past_busy") setTimeout(() => number === this.asked && this.load(wanted, number), setting("pastRetryMs"));
    this.onBoard();
  }

  serverNow() {
    return this.view.as_of;
  }

  // The address of the page with the sites of that moment, for whoever signed in to the portal.
  siteHistory() {
    const query = new URLSearchParams({ until: iso(this.view.as_of), lang: document.documentElement.lang });
    return HERE === "/" ? "" : `${HERE}site?${query}`;
  }

  health() {
    return { state: this.says === "" ? "past" : "past_waiting", ageMs: 0, says: this.says };
  }
}

// The band that says what this is, with the slider over a day and the way back.
export class PastBand {
  constructor(band, past, tools) {
    const { w } = tools;
    this.past = past;
    this.tools = tools;
    this.band = band;
    this.time = node("time");
    this.known = node("small");
    this.slider = node("input");
    this.slider.type = "range";
    this.slider.step = String(MINUTE_MS);
    this.slider.setAttribute("aria-label", w("look_back"));
    this.buttons = STEPS.map((step) => node("button", "", `${step < 0 ? "\u2212" : "+"}${Math.abs(step)} ${w("minutes")}`));
    this.back = node("a", "", w(HERE === "/" ? "to_live" : "to_portal"));
    this.back.href = addressWith({ at: null, known_at: null });
    const mark = node("span", "mark");
    setIcon(mark, "wait");
    const head = node("p", "", mark, node("strong", "", w("past_picture")), this.time, this.known);
    setText(this.known, w("past_not_live"));
    const [far, near, on, farOn] = this.buttons;
    this.day = node("day-curve");
    this.dayIs = "wanted"; // then "loading", then "open"
    band.append(head, node("div", "", far, near, on, farOn, this.back), this.slider, this.day);
    band.hidden = false;
    this.buttons.forEach((button, at) => {
      button.addEventListener("click", () => this.wish(this.wished() + STEPS[at] * MINUTE_MS));
    });
    this.slider.addEventListener("input", () => this.wish(Number(this.slider.value)));
  }

  // Where the slider is to be: what was asked for last, or what is shown.
  wished() {
    return this.wishedAt === undefined ? this.shown : this.wishedAt;
  }

  wish(instant) {
    if (this.past.settings === null) return;
    this.movedAt = performance.now();
    this.wishedAt = Math.min(instant, Math.floor(this.past.settings.server_now / MINUTE_MS) * MINUTE_MS);
    this.slider.value = String(this.wishedAt);
    this.tell(this.wishedAt);
    clearTimeout(this.timer);
    // a finger that still moves asks for nothing
    this.timer = setTimeout(() => this.past.moveTo(this.wishedAt), setting("pastSettleMs"));
  }

  // Whether somebody has moved it within the last `ms`.
  movedWithin(ms) {
    return this.movedAt !== undefined && performance.now() - this.movedAt < ms;
  }

  // What the slider reaches over: the last day, or the day around an instant further back. It stays as it is while what
  // is shown lies in it.
  span() {
    return { first: this.last - this.past.settings.span_ms, last: this.last, isNewest: this.isNewest };
  }

  reach() {
    const { span_ms: span, server_now: now } = this.past.settings;
    if (this.last !== undefined && this.shown >= this.last - span && this.shown <= this.last) return false;
    const newest = Math.floor(now / MINUTE_MS) * MINUTE_MS;
    const around = Math.ceil((this.shown + span / 2) / HOUR_MS) * HOUR_MS;
    this.isNewest = newest - span <= this.shown || around >= newest;
    this.last = this.isNewest ? newest : around;
    return true;
  }

  openDay() {
    if (this.dayIs !== "wanted") return;
    this.dayIs = "loading";
    loadDay()
      .then(() => customElements.whenDefined("day-curve"))
      .then(() => {
        this.dayIs = "open";
        this.day.open(this, this.tools, HERE);
      })
      .catch(() => setText(this.day, this.tools.w("day_unreadable")));
  }

  render() {
    const { settings, view } = this.past;
    if (settings === null) return;
    const { w, format } = this.tools;
    if (this.zone !== settings.time_zone) {
      this.zone = settings.time_zone;
      format.setTimeZone(this.zone);
    }
    if (view === null || this.shown === view.as_of) return;
    this.shown = view.as_of;
    this.wishedAt = undefined;
    const isElsewhere = this.reach();
    const { first, last } = this.span();
    this.slider.min = String(first);
    this.slider.max = String(last);
    this.slider.value = String(this.shown);
    if (isElsewhere && this.dayIs === "open") this.day.show(this.span());
    this.openDay();
    this.tell(this.shown);
    const known = w(settings.known_at === null ? "past_known_by_now" : "past_as_known_then");
    setText(this.known, `${w("past_not_live")}  \u00b7  ${known}`);
  }

  tell(instant) {
    const { format } = this.tools;
    setText(this.time, `${format.date(instant)} ${format.time(instant)}`);
    if (this.dayIs === "open") this.day.tell(instant);
  }
}
