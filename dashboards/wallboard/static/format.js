// Numbers and times as this language writes them.
import { setting } from "./settings.js";

export const NOTHING = "\u2014";

export class Format {
  constructor(language) {
    this.language = language;
    this.percent1 = new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
    this.stated = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 });
    this.whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    this.one = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    this.setTimeZone(undefined);
  }

  setTimeZone(timeZone) {
    const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone };
    this.clock = new Intl.DateTimeFormat(this.language, clock);
    this.hour = new Intl.DateTimeFormat(this.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
    this.year = new Intl.DateTimeFormat(this.language, { year: "numeric", month: "2-digit", day: "2-digit", timeZone });
  }

  number(value) {
    return this.whole.format(value);
  }

  // Rounded down: 100 % means all of them, and nothing else does.
  percent(ratio) {
    return this.percent1.format(Math.floor((ratio.part * 1000) / ratio.whole) / 1000);
  }

  // As a contract states it.
  target(ratio) {
    return this.stated.format(ratio.part / ratio.whole);
  }

  counts(ratio) {
    return `${this.number(ratio.part)}/${this.number(ratio.whole)}`;
  }

  // Hours with one decimal place, rounded down.
  hours(ms) {
    // Format: tenths of an hour in ms.
    return this.one.format(Math.floor(ms / 360000) / 10);
  }

  // 0:07, 1:05, 12:40, 1:02:40
  elapsed(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
    return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
  }

  time(instant) {
    return this.clock.format(instant);
  }

  // Without its seconds.
  minute(instant) {
    return this.hour.format(instant);
  }

  // 2026-11-02 in every language: a month and a day that nobody takes for each other.
  date(instant) {
    const { year, month, day } = this.dateParts(instant);
    return `${year}-${month}-${day}`;
  }

  dateParts(instant) {
    const parts = {};
    for (const { type, value } of this.year.formatToParts(instant)) parts[type] = value;
    return parts;
  }

  // With the date once the clock time alone would mislead.
  since(instant, now) {
    if (now - instant < setting("timeOnlyMs")) return this.time(instant);
    const { month, day } = this.dateParts(instant);
    return `${month}-${day} ${this.time(instant)}`;
  }
}
