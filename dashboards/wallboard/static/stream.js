// The event stream: keeps the newest board, the server's clock, and how long ago either was heard.
import { addressWith } from "./address.js";
import { applyDelta } from "./board.js";
import { setting } from "./settings.js";

// An instant by two clocks: one that does not jump but stands while a TV sleeps, and that of the wall, which does neither.
const instant = () => ({ at: performance.now(), on: Date.now() });

// Pure: ms from one such instant to another. A wall clock that is ahead by more than `limitMs` tells of a sleep.
export function elapsedMs(from, to, limitMs) {
  const awake = to.at - from.at;
  const asleep = to.on - from.on - awake;
  return asleep > limitMs ? awake + asleep : awake;
}

// Format: of a link that tells nothing and the one begun beside it; a third takes the place of the older one.
const LINKS_MAX = 2;

export class Stream {
  constructor(onBoard, address = "/events") {
    this.onBoard = onBoard;
    this.address = address;
    this.view = null;
    this.settings = null;
    this.awaits = false; // the server has no board yet
    this.heard = null; // when the last event was heard
    this.links = []; // under way, the oldest first
    this.isPast = false;
    this.open = false;
    this.offsets = [];
  }

  connect() {
    const source = new EventSource(this.address);
    // stirred: when it last did anything, if only fail
    const link = { source, opened: false, told: false, stirred: instant() };
    this.links.push(link);
    if (this.links.length > LINKS_MAX) this.links.shift().source.close();
    if (this.looking === undefined) this.looking = setInterval(() => this.look(), setting("linkLookMs"));
    const on = (name, take) =>
      source.addEventListener(name, (event) => {
        link.stirred = instant();
        this.heard = link.stirred;
        link.told = true;
        this.keep(link);
        take(JSON.parse(event.data));
      });
    source.onopen = () => {
      link.opened = true;
      link.stirred = instant();
      this.open = true;
    };
    source.onerror = () => {
      link.opened = false;
      link.told = false;
      link.stirred = instant();
      this.open = this.links.some((other) => other.opened);
      if (source.readyState === EventSource.CLOSED) this.comeBack(link);
    };
    on("hello", (hello) => this.greet(hello));
    on("delta", (delta) => {
      this.view = applyDelta(this.view, delta);
      this.onBoard();
    });
    on("tick", (tick) => {
      this.setClock(tick.server_now);
    });
    // This screen may not look any more: the sign-in page says so.
    on("withdrawn", () => {
      source.close();
      clearInterval(this.looking);
      location.assign(addressWith({}));
    });
  }

  // Of two links the one that tells something is kept.
  keep(link) {
    for (const other of this.links) if (other !== link) other.source.close();
    this.links = [link];
    this.open = true;
  }

  // A link that tells nothing and does not break may be one that the network forgot, and an attempt that is not answered
  // one whose first packet was lost, for which a browser waits ever longer. Another one is begun beside it: where the
  // server was only slow, the older one tells something first and stays.
  look() {
    const newest = this.links[this.links.length - 1];
    if (newest === undefined || this.since(newest.stirred) <= this.patienceMs(newest)) return;
    this.open = false;
    this.connect();
  }

  // A whole board takes its time on a slow line.
  patienceMs({ opened, told }) {
    if (!opened) return setting("linkAttemptMs");
    return told ? this.limitMs() : 2 * this.limitMs();
  }

  limitMs() {
    return this.settings === null ? setting("firstStaleAfterMs") : this.settings.stale_after_ms;
  }

  since(then) {
    return elapsedMs(then, instant(), this.limitMs());
  }

  greet(hello) {
    if (this.settings !== null && this.settings.page !== hello.page) {
      location.reload();
      return;
    }
    this.settings = hello;
    this.offsets = [];
    this.setClock(hello.server_now);
    // a server that has just started has no board yet: what is on the screen is from before, and must not look like now
    this.awaits = hello.board === null;
    if (!this.awaits) this.view = hello.board;
    this.onBoard();
  }

  // The browser gives up on anything but a lost connection; a wallboard does not. Only a page that would lead to the
  // sign-in is left, and whether it would is asked no longer than until the next attempt.
  comeBack(link) {
    this.links = this.links.filter((other) => other !== link);
    if (this.links.length > 0) return;
    const asking = new AbortController();
    setTimeout(() => {
      asking.abort();
      if (this.links.length === 0) this.connect();
    }, setting("linkAttemptMs"));
    fetch(location.href, { redirect: "manual", cache: "no-store", signal: asking.signal })
      .then((answer) => {
        if (answer.type === "opaqueredirect") location.assign(addressWith({}));
      })
      .catch(() => {});
  }

  // A message can only be late, never early: the largest difference is the one with the least delay in it.
  setClock(serverNow) {
    this.offsets.push(serverNow - performance.now());
    if (this.offsets.length > setting("clockSamples")) this.offsets.shift();
  }

  serverNow() {
    return performance.now() + Math.max(...this.offsets);
  }

  // What the screen must look like: {state, ageMs}. state: connecting, waiting, live, link_lost, source_stopped.
  // aheadMs > 0: the server's record is ahead of its own clock, so that it shows nothing as live.
  health() {
    if (this.settings === null) return { state: "connecting", ageMs: 0 };
    const linkAge = this.since(this.heard);
    const limit = this.limitMs();
    if (this.view === null) return { state: linkAge > limit ? "link_lost" : "waiting", ageMs: linkAge };
    const ageMs = this.serverNow() - this.view.as_of;
    if (linkAge > limit) return { state: "link_lost", ageMs: Math.max(ageMs, linkAge) };
    if (this.awaits) return { state: "source_stopped", ageMs, says: "waiting_for_data" };
    const aheadMs = this.view.record_ahead_ms;
    if (aheadMs > 0) return { state: "source_stopped", ageMs: Math.max(ageMs, limit), aheadMs };
    if (ageMs > limit) return { state: this.open ? "source_stopped" : "link_lost", ageMs };
    return { state: "live", ageMs };
  }
}
