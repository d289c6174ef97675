// Draws the newest board, counts seconds between boards, and says so when the board is old; or draws one of the past.
import { addressWith } from "./address.js";
import { Alarm } from "./alarm.js";
import { setIcon, setText, setTone } from "./dom.js";
import { Format } from "./format.js";
import { Layout, loadLayout } from "./layout.js";
import { Now } from "./now.js";
import { Past, PastBand, minuteBefore } from "./past.js";
import { Queues } from "./queues.js";
import { Sites } from "./sites.js";
import { Stream } from "./stream.js";
import { Clients, Teams } from "./strips.js";
import { loadWords, wantedLanguage } from "./words.js";

const CLOCK_MS = 250;
// From so many queues on the screen is theirs: the strips under them give up their second lines.
const DENSE_FROM = 7;
const by = (id) => document.getElementById(id);

class Page {
  constructor({ language, languages, w }, layout) {
    this.tools = { w, format: new Format(language), clientName: (id) => this.clientName(id) };
    this.clientNames = new Map();
    this.isPast = new URLSearchParams(location.search).has("at");
    this.stream = this.isPast ? new Past(() => this.schedule()) : new Stream(() => this.schedule());
    this.now = new Now(by("now"), this.tools);
    setText(by("title"), w("wallboard"));
    const parts = { queues: by("queues"), clients: by("clients"), teams: by("teams"), sites: by("sites") };
    this.layout = new Layout(layout, parts, by("title"), this.tools); // before the alarm: it looks whether there is one
    // What is over calls nobody.
    if (this.isPast) this.band = new PastBand(by("past"), this.stream, this.tools);
    else this.alarm = new Alarm(by("alarm"), this.tools);
    this.clients = new Clients(by("clients"), this.tools);
    this.queues = new Queues(by("queues"), this.tools);
    this.teams = new Teams(by("teams"), this.tools);
    this.sites = new Sites(by("sites"), this.tools);
    document.title = `${w("wallboard")} - Seatwatch`;
    setText(by("as-of").firstElementChild, w("as_of"));
    setText(by("as-of").lastElementChild, w("provisional")); // the day goes on
    this.offerOther(language, languages);
    this.offerPast();
    document.body.classList.toggle("past", this.isPast);
  }

  // On a board of one client its name says nothing.
  clientName(id) {
    return this.clientNames.size === 1 && this.clientNames.has(id) ? "" : this.clientNames.get(id) || id;
  }

  offerOther(language, languages) {
    const other = Object.keys(languages).find((tag) => tag !== language);
    if (other === undefined) return;
    const link = by("language");
    link.href = addressWith({ lang: other });
    // the instant on the slider may be another one by now
    link.addEventListener("click", () => {
      link.href = addressWith({ lang: other });
    });
    link.lang = other;
    link.hreflang = other;
    setText(link, languages[other]);
  }

  offerPast() {
    const link = by("look-back");
    link.hidden = this.isPast;
    link.title = this.tools.w("look_back");
    link.setAttribute("aria-label", link.title);
    setIcon(link, "back");
    link.href = "/";
    link.addEventListener("click", () => {
      if (this.stream.settings !== null) link.href = addressWith({ at: minuteBefore(this.stream.serverNow()) });
    });
  }

  start() {
    this.stream.connect();
    setInterval(() => this.schedule(), CLOCK_MS);
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
    const { stream } = this;
    const health = stream.health();
    this.tellHealth(health);
    if (this.isPast) this.band.render();
    if (stream.view === null) return;
    if (!this.isPast) this.turnPages();
    const stale = health.state !== "live" && !this.isPast;
    // Old numbers must not seem to move: the clock stands where the board was last true.
    this.tools.fewJudged = stream.settings.few_judged;
    const now = stale ? stream.view.as_of + stream.settings.stale_after_ms : this.isPast ? stream.view.as_of : stream.serverNow();
    if (this.zone !== stream.settings.time_zone) {
      this.zone = stream.settings.time_zone;
      this.tools.format.setTimeZone(this.zone);
    }
    setText(by("as-of").children[1], this.tools.format.time(stream.view.as_of));
    this.clientNames = new Map(Object.values(stream.view.clients).map((tile) => [tile.id, tile.name]));
    const whole = this.layout.whole(stream.view);
    this.now.render(whole, now);
    if (!this.isPast) this.alarm.render(whole.teams, !stale, stream.settings.alarm_repeat_ms);
    const view = this.layout.page(stream.view, this.isPast ? [] : this.alarm.alarming());
    const queues = by("queues").hidden ? 0 : Object.keys(view.queues).length;
    document.body.classList.toggle("dense", queues >= DENSE_FROM);
    this.clients.render(view.clients, now);
    this.teams.render(view.teams, now);
    this.sites.render(view.sites, now);
    this.tellRecord(view.record);
    this.queues.render(view, now, this.layout.columns()); // last: it takes the height the others leave
  }

  turnPages() {
    const turn = Math.floor(performance.now() / this.stream.settings.page_turn_ms);
    if (this.turn !== undefined && turn !== this.turn) this.queues.turnPage();
    this.turn = turn;
  }

  tellHealth({ state, ageMs, aheadMs, says }) {
    const { w, format } = this.tools;
    const link = by("link");
    const overlay = by("overlay");
    const stale = state === "link_lost" || state === "source_stopped";
    const broken = !this.stream.open && state !== "connecting" && !this.isPast;
    const words = {
      live: "live",
      connecting: "connecting",
      waiting: "waiting_for_data",
      source_stopped: "stale",
      past: "past_picture",
      past_waiting: "past_reading",
    };
    setText(link, w(broken ? "link_lost" : this.isPast ? "past_picture" : words[state] || state));
    setTone(link, stale || broken ? "bad" : state === "live" ? "good" : "none");
    document.body.dataset.state = state;
    document.body.classList.toggle("stale", stale);
    overlay.hidden = state === "live" || state === "past";
    const seconds = format.number(Math.max(1, Math.round(ageMs / 1000)));
    setText(overlay.firstElementChild, stale ? w("data_stopped", seconds) : w(says || words[state] || "live"));
    const why = { link_lost: `${w("link_lost")}  ·  ${w("reconnecting")}`, source_stopped: w("source_stopped") };
    setText(overlay.lastElementChild, why[state] || "");
    if (aheadMs > 0) {
      setText(overlay.firstElementChild, w("clock_behind", format.elapsed(aheadMs)));
      setText(overlay.lastElementChild, w("clock_behind_why"));
    }
  }

  tellRecord(record) {
    const { w, format } = this.tools;
    const names = ["gaps", "quarantined", "unrouted", "equivocations"];
    const faults = record === null ? [] : names.filter((name) => record[name] > 0);
    const parts = record === null ? [] : [`${w("record")} ${format.number(record.entries)}`];
    setText(by("record"), [...parts, ...faults.map((name) => `${w(name)} ${format.number(record[name])}`)].join("  ·  "));
    setTone(by("record"), faults.length > 0 ? "warn" : "");
  }
}

loadLayout().then((layout) => {
  const language = wantedLanguage() || (layout.spec === null ? "" : layout.spec.language);
  return loadWords(language).then((words) => new Page(words, layout).start());
});
