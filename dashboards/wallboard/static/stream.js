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

export class Stream {
  constructor(onBoard, address = "/events") {
    this.onBoard = onBoard;
    this.address = address;
    this.view = null;
    this.settings = null;
    this.awaits = false; // the server has no board yet
    this.heard = null; // when the last event was heard
    this.stirred = null; // when the link last did anything, if only fail
    this.isPast = false;
    this.open = false;
    this.offsets = [];
  }

  connect() {
    const source = new EventSource(this.address);
    this.stirred = instant();
    this.watch(source);
    const on = (name, take) =>
      source.addEventListener(name, (event) => {
        this.heard = instant();
        this.stirred = this.heard;
        take(JSON.parse(event.data));
      });
    source.onopen = () => {
      this.open = true;
      this.stirred = instant();
    };
    source.onerror = () => {
      this.open = false;
      this.stirred = instant();
      if (source.readyState === EventSource.CLOSED) this.comeBack(source);
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
      location.assign(addressWith({}));
    });
  }

  // A link that tells nothing and does not break is one that the network forgot: a browser would wait for minutes.
  watch(source) {
    const looking = setInterval(() => {
      const isOver = source.readyState === EventSource.CLOSED;
      if (!isOver && this.since(this.stirred) <= 2 * this.limitMs()) return;
      clearInterval(looking);
      if (isOver) return;
      source.close();
      this.open = false;
      this.connect();
    }, setting("linkLookMs"));
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

  // The browser gives up on anything but a lost connection; a wallboard does not. Only a page
  // that would lead to the sign-in is left.
  comeBack(source) {
    source.close();
    fetch(location.href, { redirect: "manual", cache: "no-store" })
      .then((answer) => answer.type === "opaqueredirect")
      .catch(() => false)
      .then((refused) => {
        if (refused) location.assign(addressWith({}));
        else setTimeout(() => this.connect(), this.limitMs() / 2);
      });
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
