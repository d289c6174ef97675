// What every screen is made of: the board it is sent, the head, and the look of numbers that are old.
import { addressWith } from "./address.js";
import { setText, setTone } from "./dom.js";
import { Format } from "./format.js";
import { setting } from "./settings.js";

const UNASSIGNED = "unassigned"; // the team of an account that no roster maps
export const by = (id) => document.getElementById(id);

// A screen shows what it is sent: `show(view, now, stale)` draws it.
export class Shell {
  // `open`: gives what is looked at, a Stream or a Past, which calls back when it has another board.
  constructor({ language, languages, w }, open) {
    const isEnglish = language.startsWith("en");
    const nameOf = (tile) => (isEnglish && tile.name_en) || tile.name;
    const shopsOf = (site) => (isEnglish && site.shops_en) || site.shops;
    const names = { nameOf, shopsOf, clientName: (id) => this.clientName(id), teamName: (id) => this.teamName(id) };
    this.tools = { w, format: new Format(language), ...names };
    this.clientNames = new Map();
    this.teamNames = new Map();
    this.stream = open(() => this.schedule());
    this.isPast = this.stream.isPast;
    setText(by("as-of").firstElementChild, w("as_of"));
    setText(by("as-of").lastElementChild, w("provisional")); // the day goes on
    this.offerOther(language, languages);
  }

  namesOf(tiles) {
    return new Map(Object.values(tiles).map((tile) => [tile.id, this.tools.nameOf(tile)]));
  }

  clientName(id) {
    return this.clientNames.get(id) || id;
  }

  teamName(id) {
    return id === UNASSIGNED ? this.tools.w("unassigned") : this.teamNames.get(id) || id;
  }

  offerOther(language, languages) {
    const other = Object.keys(languages).find((tag) => tag !== language);
    if (other === undefined) return;
    const link = by("language");
    link.href = addressWith({ lang: other });
    // the address may say another instant or page by then
    link.addEventListener("click", () => {
      link.href = addressWith({ lang: other });
    });
    link.lang = other;
    link.hreflang = other;
    setText(link, languages[other]);
  }

  start() {
    this.stream.connect();
    setInterval(() => this.schedule(), setting("redrawMs"));
    addEventListener("resize", () => this.schedule());
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    // A page in the background draws nothing, yet must look stale the moment it is looked at: draw at once there.
    if (document.hidden) this.draw();
    else requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.scheduled = false;
    const { stream, tools } = this;
    const health = stream.health();
    this.tellHealth(health);
    if (stream.view === null) return;
    const stale = health.state !== "live" && !this.isPast;
    // Old numbers must not seem to move: the clock stands where the board was last true.
    const now = stale ? stream.view.as_of + stream.settings.stale_after_ms : stream.serverNow();
    tools.fewJudged = stream.settings.few_judged;
    if (this.zone !== stream.settings.time_zone) {
      this.zone = stream.settings.time_zone;
      tools.format.setTimeZone(this.zone);
    }
    setText(by("as-of").children[1], tools.format.time(stream.view.as_of));
    this.clientNames = this.namesOf(stream.view.clients);
    this.teamNames = this.namesOf(stream.view.teams);
    this.show(stream.view, now, stale);
  }

  tellHealth({ state, ageMs, aheadMs, says }) {
    const { w, format } = this.tools;
    const stale = state === "link_lost" || state === "source_stopped";
    const broken = !this.stream.open && state !== "connecting";
    const words = {
      live: "live",
      connecting: "connecting",
      waiting: "waiting_for_data",
      source_stopped: "stale",
      past: "past_picture",
      past_waiting: "past_picture",
    };
    setText(by("link"), w(broken ? "link_lost" : words[state] || state));
    setTone(by("link"), stale || broken ? "bad" : state === "live" ? "good" : "none");
    document.body.dataset.state = state;
    document.body.classList.toggle("stale", stale);
    const overlay = by("overlay");
    overlay.hidden = state === "live" || state === "past";
    const seconds = format.number(Math.max(1, Math.round(ageMs / 1000)));
    setText(overlay.firstElementChild, stale ? w("data_stopped", seconds) : w(says || words[state] || "live"));
    const why = { link_lost: `${w("link_lost")}  \u00b7  ${w("reconnecting")}`, source_stopped: w(says || "source_stopped") };
    setText(overlay.lastElementChild, why[state] || "");
    if (aheadMs > 0) {
      setText(overlay.firstElementChild, w("clock_behind", format.elapsed(aheadMs)));
      setText(overlay.lastElementChild, w("clock_behind_why"));
    }
  }
}
