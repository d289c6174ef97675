// Draws the day with uPlot: arrivals as an area of bars, the rate as a line that breaks where there is no data.
import { icon, node } from "./dom.js";

// Layout: sizes of the drawing, in rem or in parts of it.
const GUTTER_REM = 3.2;
const FOOT_REM = 1.3;
const TEXT_REM = 0.8;
const MARK_REM = 0.28;
const LANE_REM = 1.2;
const AWAY_REM = 16; // so far from what it is about a word may stand
const LOWEST_SHOWN = 0.8;
const TENTHS = 10;
const LABEL_REM = 3.4;
const HATCH_REM = 0.5;
const DASH = [6, 5]; // Layout: pixels
const MINUTE_MS = 60000;
const HOUR_MS = 3600000;
const EVERY = [1, 2, 3, 4, 6, 12]; // Layout: hours between two labels

const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

export class Plot {
  // `told`: wish(instant) where somebody points, look(instant or null) where the pointer is.
  constructor(place, tools, told) {
    this.place = place;
    this.tools = tools;
    this.told = told;
    this.uplot = null;
    this.now = node("i", "day-now");
    const style = getComputedStyle(place);
    this.colour = (name) => style.getPropertyValue(name).trim();
  }

  clear() {
    if (this.uplot !== null) this.uplot.destroy();
    this.uplot = null;
  }

  // `troubles`: {start, end, shape, text} each.
  draw(intervals, span, troubles) {
    this.clear();
    this.intervals = intervals;
    this.span = span;
    this.laneRem = troubles.length > 0 ? LANE_REM : 0;
    this.stepMs = intervals[0].end - intervals[0].start;
    const middles = intervals.map((each) => (each.start + each.end) / 2);
    const rates = intervals.map(({ ratio }) => (ratio.whole === 0 ? null : ratio.part / ratio.whole));
    const counts = intervals.map((each) => each.offered);
    const size = { width: this.place.clientWidth, height: this.place.clientHeight };
    this.uplot = new window.uPlot({ ...size, ...this.options(rates, counts, troubles) }, [middles, counts, rates], this.place);
    this.listen(this.uplot.over);
    this.uplot.over.append(this.now);
  }

  // uPlot knows its places only then.
  settle(plot, troubles) {
    this.uplot = plot;
    this.label(troubles);
    this.point(this.at);
  }

  options(rates, counts, troubles) {
    const { uPlot } = window;
    const known = rates.filter((rate) => rate !== null);
    const low = Math.floor(Math.min(LOWEST_SHOWN, ...known) * TENTHS) / TENTHS;
    const most = Math.max(1, ...counts.filter((count) => count !== null));
    const { first, last } = this.span;
    const [text, line, past] = ["--text", "--line", "--past"].map(this.colour);
    const font = `${TEXT_REM * rem()}px ${getComputedStyle(this.place).fontFamily}`;
    const axis = { stroke: text, font, ticks: { show: false }, gap: 4 };
    const { format } = this.tools;
    return {
      legend: { show: false },
      ms: 1,
      padding: [(2 * MARK_REM + this.laneRem) * rem(), 0, 0, 0],
      cursor: { drag: { x: false, y: false, setScale: false }, y: false, points: { show: false } },
      scales: {
        x: { time: false, range: () => [first, last] },
        rate: { range: () => [low, 1] },
        count: { range: () => [0, most * 2] }, // the bars stay below the line, as far as it is where it should be
      },
      axes: [
        {
          ...axis,
          size: FOOT_REM * rem(),
          grid: { stroke: line, width: 1 },
          splits: (plot) => this.hours(plot.bbox.width / devicePixelRatio),
          values: (plot, splits) => splits.map((instant) => format.minute(instant)),
        },
        {
          ...axis,
          scale: "rate",
          size: GUTTER_REM * rem(),
          grid: { stroke: line, width: 1 },
          splits: () => [low, (low + 1) / 2, 1],
          values: (plot, splits) => splits.map((part) => format.target({ part, whole: 1 })),
        },
        {
          ...axis,
          scale: "count",
          stroke: past,
          side: 1,
          size: GUTTER_REM * rem(),
          grid: { show: false },
          splits: () => [0, most],
          values: (plot, splits) => splits.map((count) => format.number(count)),
        },
      ],
      series: [
        {},
        { scale: "count", paths: uPlot.paths.bars({ size: [1, Infinity], gap: 1 }), fill: `${past}55`, points: { show: false } },
        { scale: "rate", stroke: text, width: 2, points: { show: false } },
      ],
      hooks: { ready: [(plot) => this.settle(plot, troubles)], drawClear: [(plot) => this.ground(plot)], draw: [(plot) => this.marks(plot)] },
    };
  }

  // Full hours of the floor's clock, as many as there is room for.
  hours(wide) {
    const { first, last } = this.span;
    const { format } = this.tools;
    const room = Math.max(1, Math.floor(wide / (LABEL_REM * rem())));
    const every = EVERY.find((hours) => (last - first) / HOUR_MS / hours <= room) || EVERY[EVERY.length - 1];
    const found = [];
    for (let at = Math.ceil(first / MINUTE_MS) * MINUTE_MS; at <= last; at += MINUTE_MS) {
      const [hour, minute] = format.minute(at).split(":").map(Number);
      if (minute !== 0) continue;
      if (hour % every === 0) found.push(at);
      at += HOUR_MS - 2 * MINUTE_MS; // to just before the next one, wherever a clock is set
    }
    return found;
  }

  // What is below target stands out from afar, where there is no data, and what lies under the curve where a part of it is missing.
  ground(plot) {
    const { ctx } = plot;
    ctx.save();
    ctx.strokeStyle = this.colour("--none");
    ctx.lineWidth = devicePixelRatio;
    const thin = 3 * MARK_REM * rem() * devicePixelRatio;
    for (const each of this.intervals) {
      const { part, whole } = each.covered;
      if (each.isBelow) this.tint(plot, each);
      if (each.isDark) this.hatch(plot, each, plot.bbox.height);
      else if (whole > 0 && part < whole) this.hatch(plot, each, thin);
    }
    ctx.restore();
  }

  tint({ ctx, bbox, valToPos }, { start, end }) {
    const { first, last } = this.span;
    const [left, right] = [start, end].map((at) => valToPos(Math.max(first, Math.min(last, at)), "x", true));
    ctx.fillStyle = `${this.colour("--bad")}55`;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }

  hatch({ ctx, bbox, valToPos }, { start, end }, tall) {
    const { first, last } = this.span;
    const [left, right] = [start, end].map((at) => valToPos(Math.max(first, Math.min(last, at)), "x", true));
    if (right <= left) return;
    const below = bbox.top + bbox.height;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, below - tall, right - left, tall);
    ctx.clip();
    ctx.beginPath();
    const step = HATCH_REM * rem() * devicePixelRatio;
    // the stripes of neighbours are one pattern
    for (let x = Math.floor((left - tall) / step) * step; x < right; x += step) {
      ctx.moveTo(x, below);
      ctx.lineTo(x + tall, below - tall);
    }
    ctx.stroke();
    ctx.restore();
  }

  // The target, and each interval's own mark: a triangle below target, a ring where few are judged, else a dot.
  marks(plot) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    const [before, after] = [0, 1].map((at) => plot.valToPos(this.span.first + at * this.stepMs, "x", true));
    const large = MARK_REM * rem() * ratio;
    const size = Math.min(large, (after - before) / 2);
    const x = (at) => plot.valToPos(at, "x", true);
    const y = (rate) => plot.valToPos(rate, "rate", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - large, bbox.top - large, bbox.width + 2 * large, bbox.height + 2 * large);
    ctx.clip();
    ctx.strokeStyle = this.colour("--good");
    ctx.lineWidth = 2 * ratio;
    ctx.setLineDash(DASH.map((length) => length * ratio));
    ctx.beginPath();
    for (const { start, end, target } of this.intervals) {
      if (target === null) continue;
      const level = y(target.part / target.whole);
      ctx.moveTo(x(start), level);
      ctx.lineTo(x(end), level);
    }
    ctx.stroke();
    ctx.setLineDash([]);
    for (const each of this.intervals) {
      if (each.ratio.whole > 0) this.mark(ctx, x((each.start + each.end) / 2), y(each.ratio.part / each.ratio.whole), each.isBelow ? large : size, each);
    }
    ctx.restore();
  }

  mark(ctx, x, y, size, { isFew, isBelow }) {
    ctx.beginPath();
    if (isBelow) {
      const wide = 2 * size;
      ctx.moveTo(x, y + wide);
      ctx.lineTo(x - wide, y - wide / 2);
      ctx.lineTo(x + wide, y - wide / 2);
      ctx.closePath();
      ctx.fillStyle = this.colour("--bad");
    } else {
      ctx.arc(x, y, size, 0, 2 * Math.PI);
      ctx.fillStyle = this.colour(isFew ? "--ground" : "--text");
    }
    ctx.fill();
    if (!isFew) return;
    ctx.strokeStyle = this.colour("--none");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.stroke();
  }

  // What was wrong at sites: shaded, with its word above it or beside the one before; its icon alone where that is too
  // far away.
  label(troubles) {
    const { uplot } = this;
    const wide = uplot.under.clientWidth;
    const away = AWAY_REM * rem();
    let taken = 0;
    for (const { start, end, shape, text } of troubles) {
      const [left, right] = [Math.max(start, this.span.first), Math.min(end, this.span.last)].map((at) => uplot.valToPos(at, "x"));
      const shade = node("div", "day-trouble");
      shade.style.left = `${left}px`;
      shade.style.width = `${Math.max(2, right - left)}px`;
      const words = node("bdi", "", text);
      const made = node("div", "day-word", icon(shape), words);
      made.title = text;
      uplot.under.append(shade, made);
      const at = Math.max(taken, Math.min(left, wide - made.offsetWidth), 0);
      words.hidden = at - left > away || at + made.offsetWidth > wide;
      const place = words.hidden ? left : at;
      made.hidden = words.hidden && place < taken;
      made.style.left = `${place}px`;
      if (!made.hidden) taken = place + made.offsetWidth;
    }
  }

  // The line at the instant that is looked at.
  point(instant) {
    this.at = instant;
    if (this.uplot === null || this.uplot.status === 0) return;
    this.now.style.left = `${this.uplot.valToPos(instant, "x")}px`;
  }

  instantAt(event) {
    const box = this.uplot.over.getBoundingClientRect();
    const at = this.uplot.posToVal(event.clientX - box.left, "x");
    const { first, last } = this.span;
    return Math.max(first, Math.min(last, Math.floor(at / MINUTE_MS) * MINUTE_MS));
  }

  listen(over) {
    let isHeld = false;
    const wish = (event) => this.told.wish(this.instantAt(event));
    over.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      isHeld = true;
      over.setPointerCapture(event.pointerId);
      wish(event);
    });
    over.addEventListener("pointermove", (event) => {
      if (isHeld) wish(event);
      else this.told.look(this.instantAt(event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      over.addEventListener(end, () => {
        isHeld = false;
      });
    }
    over.addEventListener("pointerleave", () => this.told.look(null));
  }
}
