// The first thing to see: how many wait, the longest wait, how many are overdue; on a phone, which site is in trouble.
import { allWaiting, siteIsFine, sitesByUrgency } from "./board.js";
import { cell, fill, node, setText, setTone } from "./dom.js";
import { NOTHING } from "./format.js";
import { noData } from "./figures.js";
import { siteLook } from "./sites.js";

export class Now {
  constructor(section, tools) {
    this.section = section;
    this.tools = tools;
    const { w } = tools;
    this.waiting = cell("waiting", w("waiting"), 6);
    this.oldest = cell("oldest_wait", w("oldest_wait"), 6);
    this.overdue = cell("overdue", w("overdue"), 5);
    this.site = cell("site", w("site"), 4);
    section.append(this.waiting, this.oldest, this.overdue, this.site);
  }

  render(view, now) {
    const { w, format } = this.tools;
    const all = allWaiting(view.queues, now);
    const missing = all.live < all.queues ? w("live_queues", format.number(all.live), format.number(all.queues)) : "";
    if (all.live === 0) {
      fill(this.waiting, noData(this.tools));
      fill(this.oldest, noData(this.tools));
      fill(this.overdue, noData(this.tools));
    } else {
      const tone = all.waiting === 0 ? "none" : "";
      fill(this.waiting, { tone, big: format.number(all.waiting), small: missing });
      fill(this.oldest, { tone, big: all.oldest === null ? NOTHING : format.elapsed(now - all.oldest) });
      const late = all.overdue > 0;
      fill(this.overdue, { tone: late ? "bad" : "none", shape: late ? "bad" : "fine", big: format.number(all.overdue) });
    }
    this.tellSites(view.sites);
  }

  tellSites(sites) {
    const { w, format } = this.tools;
    const [worst] = sitesByUrgency(sites);
    if (worst === undefined) {
      fill(this.site, noData(this.tools));
      return;
    }
    const { tone, shape, word } = siteLook(worst.state);
    const troubled = Object.values(sites).filter((site) => !siteIsFine(site)).length;
    fill(this.site, { tone, shape, big: troubled === 0 ? "" : format.number(troubled), small: w(word) });
  }
}
