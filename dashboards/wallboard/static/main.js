// Draws the newest board, page by page where a layout has several; or draws one of the past.
import { addressWith } from "./address.js";
import { Alarm } from "./alarm.js";
import { setIcon, setText, setTone } from "./dom.js";
import { Layout } from "./layout.js";
import { Now } from "./now.js";
import { Past, PastBand, minuteBefore } from "./past.js";
import { Queues } from "./queues.js";
import { Shell, by } from "./shell.js";
import { Sites } from "./sites.js";
import { Stream } from "./stream.js";
import { Clients, Teams } from "./strips.js";
import { turnFacts } from "./turned_facts.js";
import { loadLayout } from "./turning.js";
import { loadWords, wantedLanguage } from "./words.js";

// From so many queues on the screen is theirs: the strips under them give up their second lines.
// Layout: rows from which on they are set closer.
const DENSE_FROM = 7;

class Page extends Shell {
  constructor(words, layout) {
    super(words, (onBoard) => {
      return new URLSearchParams(location.search).has("at") ? new Past(onBoard) : new Stream(onBoard);
    });
    const { w } = words;
    this.now = new Now(by("now"), this.tools);
    setText(by("title"), w(this.isPast ? "portal_board_then" : "wallboard"));
    const parts = { queues: by("queues"), clients: by("clients"), teams: by("teams"), sites: by("sites") };
    this.layout = new Layout(layout, parts, by("title"), this.tools, this.isPast); // before the alarm: it looks whether there is one
    // What is over calls nobody.
    if (this.isPast) this.band = new PastBand(by("past"), this.stream, this.tools);
    else this.alarm = new Alarm(by("alarm"), this.tools, "/seen");
    this.clients = new Clients(by("clients"), this.tools);
    this.queues = new Queues(by("queues"), this.tools);
    this.teams = new Teams(by("teams"), this.tools);
    this.sites = new Sites(by("sites"), this.tools);
    this.panels = [this.queues, this.clients, this.teams, this.sites];
    document.title = `${w("wallboard")} - Seatwatch`;
    this.factTurn = 0;
    this.offerPast();
    document.body.classList.toggle("past", this.isPast);
  }

  // On a board of one client its name says nothing.
  clientName(id) {
    return this.clientNames.size === 1 && this.clientNames.has(id) ? "" : super.clientName(id);
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

  draw() {
    if (this.isPast) this.band.render();
    super.draw();
  }

  show(board, now, stale) {
    const { settings } = this.stream;
    this.turnPages();
    const whole = this.layout.whole(board);
    this.now.render(whole, now);
    if (!this.isPast) this.alarm.render(whole.teams, !stale, settings.alarm_repeat_ms);
    const view = this.layout.page(board, this.isPast ? [] : this.alarm.alarming());
    for (const { turns } of this.panels) turns.layoutPage = this.layout.shown || 0;
    const queues = by("queues").hidden ? 0 : Object.keys(view.queues).length;
    // the curve of the day takes room of its own
    document.body.classList.toggle("dense", queues >= (this.isPast ? 1 : DENSE_FROM));
    if (!settings.sees_sites) this.sites.lead(this.isPast ? this.stream.siteHistory() : "");
    document.body.classList.toggle("no-sites", !settings.sees_sites);
    this.clients.render(view.clients, now);
    this.teams.render(view.teams, now);
    this.sites.render(view.sites, now);
    this.tellRecord(view.record);
    this.queues.render(view, now, this.layout.columns()); // last: it takes the height the others leave
    turnFacts(this.factTurn);
  }

  turnPages() {
    const turnMs = this.stream.settings.page_turn_ms;
    const turn = Math.floor(performance.now() / turnMs);
    // Who moves the slider compares what stands there.
    const isHeld = this.isPast && this.band.movedWithin(turnMs);
    if (this.turn !== undefined && turn !== this.turn && !isHeld) {
      this.factTurn += 1;
      for (const panel of this.panels) if (panel.turns.isSeen) panel.turnPage();
    }
    this.turn = turn;
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
