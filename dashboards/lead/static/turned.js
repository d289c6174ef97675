// A screen of its own: opened by hand, or by a layout for as long as one of its pages stays.
import { addressWith } from "/static/address.js";
import { Ring } from "/static/alarm.js";
import { setText } from "/static/dom.js";
import { alarmed, union } from "/static/layout.js";
import { setting } from "/static/settings.js";
import { by } from "/static/shell.js";
import { Stream } from "/static/stream.js";
import { Rotation, loadLayout, pageAsked } from "/static/turning.js";
import { loadWords, wantedLanguage } from "/static/words.js";

export function openScreen(Screen) {
  loadLayout().then(({ spec }) => {
    const language = wantedLanguage() || (spec === null ? "" : spec.language);
    loadWords(language).then((words) => {
      const screen = new Screen(words);
      screen.start();
      if (spec !== null && pageAsked(spec) !== null) turnWith(spec, screen.tools);
      else if (new URLSearchParams(location.search).has("page")) backToWallboard();
    });
  });
}

// The link to the screen one would look at next.
export function offerBeside(path, key, { language, w }) {
  by("beside").href = `${path}?lang=${encodeURIComponent(language)}`;
  setText(by("beside"), w(key));
}

// The wallboard's own stream tells of surges elsewhere: their page comes, however long this one was to stay.
function turnWith(spec, tools) {
  const wall = new Stream(() => {});
  const ring = new Ring(sessionStorage);
  wall.connect();
  const rotation = new Rotation(spec, by("title").nextElementSibling, tools, () => {
    ring.recall();
    const isLive = wall.health().state === "live";
    const unseen = isLive ? ring.unseen(union(wall.view, spec.pages).teams).map(([key]) => key) : [];
    const found = isLive ? alarmed(wall.view, spec.pages, unseen) : spec.pages.map(() => false);
    // an alarm of this screen's own is seen here
    if (document.body.classList.contains("alarmed")) found[rotation.own] = true;
    return found;
  });
}

// A layout that has no such page any more, or could not be had just now.
function backToWallboard() {
  const query = addressWith({ page: null }).slice(location.pathname.length);
  fetch("/", { method: "HEAD", cache: "no-store" })
    .then((answer) => answer.ok)
    .catch(() => false)
    .then((isThere) => {
      if (isThere) location.replace(`/${query}`);
      else setTimeout(backToWallboard, setting("leaveAgainMs"));
    });
}
