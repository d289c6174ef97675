// The event stream: keeps the newest board, the server's clock, and how long ago either was heard.
import { addressWith } from "./address.js";
import { applyDelta } from "./board.js";

const CLOCK_SAMPLES = 10;

export class Stream {
  constructor(onBoard, address = "/events") {
    this.onBoard = onBoard;
    this.address = address;
    this.view = null;
    this.settings = null;
    this.heardAt = null; // performance.now() of the last event; the wall clock of a TV may jump
    this.isPast = false;
    this.open = false;
    this.offsets = [];
  }

  connect() {
    const source = new EventSource(this.address);
    const on = (name, take) =>
      source.addEventListener(name, (event) => {
        this.heardAt = performance.now();
        take(JSON.parse(event.data));
      });
    source.onopen = () => {
      this.open = true;
    };
    source.onerror = () => {
      this.open = false;
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

  greet(hello) {
    if (this.settings !== null && this.settings.page !== hello.page) {
      location.reload();
      return;
    }
    this.settings = hello;
    this.offsets = [];
    this.setClock(hello.server_now);
    this.view = hello.board;
    this.onBoard();
  }

  // The browser gives up on anything but a lost connection; a wallboard does not. Only a page
  // that would lead to the sign-in is left.
  comeBack(source) {
    source.close();
    fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" })
      .then((answer) => answer.type === "opaqueredirect")
      .catch(() => false)
      .then((refused) => {
        if (refused) location.assign(addressWith({}));
        else setTimeout(() => this.connect(), this.settings === null ? 1000 : this.settings.stale_after_ms / 2);
      });
  }

  // A message can only be late, never early: the largest difference is the one with the least delay in it.
  setClock(serverNow) {
    this.offsets.push(serverNow - performance.now());
    if (this.offsets.length > CLOCK_SAMPLES) this.offsets.shift();
  }

  serverNow() {
    return performance.now() + Math.max(...this.offsets);
  }

  // What the screen must look like: {state, ageMs}. state: connecting, waiting, live, link_lost, source_stopped.
  // aheadMs > 0: the server's record is ahead of its own clock, so that it shows nothing as live.
  health() {
    if (this.settings === null) return { state: "connecting", ageMs: 0 };
    const linkAge = performance.now() - this.heardAt;
    const limit = this.settings.stale_after_ms;
    if (this.view === null) return { state: linkAge > limit ? "link_lost" : "waiting", ageMs: linkAge };
    const ageMs = this.serverNow() - this.view.as_of;
    if (linkAge > limit) return { state: "link_lost", ageMs: Math.max(ageMs, linkAge) };
    const aheadMs = this.view.record_ahead_ms;
    if (aheadMs > 0) return { state: "source_stopped", ageMs: Math.max(ageMs, limit), aheadMs };
    if (ageMs > limit) return { state: this.open ? "source_stopped" : "link_lost", ageMs };
    return { state: "live", ageMs };
  }
}
