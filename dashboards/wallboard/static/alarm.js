// The one thing that makes a sound: many conversations of one team about to breach at once. Until somebody says "seen".
import { node, setIcon, setText } from "./dom.js";

// Layout: of a sound, in hertz, seconds and parts of full loudness.
const TONES = [{ hertz: 880, from: 0 }, { hertz: 660, from: 0.25 }];
const TONE_S = 0.2;
const LOUDNESS = 0.3;
const KEPT_AS = "seen";
const LEAD = "*"; // as the server names somebody who leads the team

// Pure: what is unseen, and when to sound. A surge that begins anew after it was seen is unseen again.
export class Ring {
  // `kept`: where what was seen outlives a turn to another screen, or null.
  constructor(kept = null) {
    this.kept = kept;
    this.seen = new Map(); // team -> since when the surge that was seen
    this.soundedAt = -Infinity;
    this.recall();
  }

  recall() {
    const said = this.kept === null ? null : this.kept.getItem(KEPT_AS);
    if (said !== null) this.seen = new Map(JSON.parse(said));
  }

  // The surges nobody has seen, here or before another screen, of all `teams` by key; those that are over are forgotten.
  // Of teams that another page of this TV shows and this one does not, nothing is known here.
  unseen(teams) {
    const surging = new Map(Object.entries(teams).filter(([, tile]) => tile.surge !== null));
    for (const key of this.seen.keys()) if (key in teams && !surging.has(key)) this.seen.delete(key);
    return [...surging].filter(([key, tile]) => !tile.surge.seen_at && !(this.seen.get(key) >= tile.surge.since));
  }

  // Whether to sound at `now`, ms of a clock that does not jump.
  isDue(unseen, now, repeatMs) {
    if (unseen.length === 0) this.soundedAt = -Infinity;
    if (unseen.length === 0 || now - this.soundedAt < repeatMs) return false;
    this.soundedAt = now;
    return true;
  }

  acknowledge(unseen) {
    for (const [key, tile] of unseen) this.seen.set(key, tile.surge.since);
    if (this.kept !== null) this.kept.setItem(KEPT_AS, JSON.stringify([...this.seen]));
    this.soundedAt = -Infinity; // the next one is heard at once
  }
}

// Two tones. A browser that waits for somebody to touch the page first stays mute, and `isMute` says so.
class Sound {
  get isMute() {
    return this.context !== undefined && this.context.state !== "running";
  }

  play() {
    if (this.context === undefined) this.context = new AudioContext();
    if (this.isMute) this.context.resume();
    else TONES.forEach((tone) => this.tone(tone));
  }

  tone({ hertz, from }) {
    const { context } = this;
    const begins = context.currentTime + from;
    const oscillator = context.createOscillator();
    const volume = context.createGain();
    oscillator.frequency.value = hertz;
    volume.gain.setValueAtTime(LOUDNESS, begins);
    volume.gain.linearRampToValueAtTime(0, begins + TONE_S);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(begins);
    oscillator.stop(begins + TONE_S);
  }
}

export class Alarm {
  // `address`: where it is said that an alarm was seen, for all screens.
  constructor(band, tools, address) {
    const { w } = tools;
    this.band = band;
    this.tools = tools;
    this.address = address;
    this.ring = new Ring(sessionStorage);
    this.sound = new Sound();
    this.mark = node("span", "mark");
    this.what = node("strong");
    this.who = node("span", "who");
    this.mute = node("span", "mute", w("sound_off"));
    this.button = node("button", "", w("seen"));
    this.unseen = [];
    band.append(this.mark, this.what, this.who, this.mute, this.button);
    this.button.addEventListener("click", () => this.acknowledge());
    // A remote control has one key that every TV hands on.
    addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.acknowledge();
    });
  }

  // Old numbers make no sound: that they are old is said elsewhere.
  render(teams, isLive, repeatMs) {
    this.unseen = this.ring.unseen(teams);
    if (isLive && this.ring.isDue(this.unseen, performance.now(), repeatMs)) this.sound.play();
    this.tell(Object.values(teams).filter((tile) => tile.surge !== null));
  }

  // What nobody has seen, else what was seen and is not over: in calm, and by whom. How many teams and customers stands
  // first, the largest surge before the others: the end of a long list may be cut off.
  tell(surging) {
    const { w, format, clientName, teamName } = this.tools;
    const isCalm = this.unseen.length === 0;
    const tiles = isCalm ? surging : this.unseen.map(([, tile]) => tile);
    const largest = [...tiles].sort((a, b) => b.surge.conversations - a.surge.conversations);
    const told = largest.map((tile) => {
      const whose = [teamName(tile.id), clientName(tile.client)].filter((name) => name !== "");
      return `\u00d7${format.number(tile.surge.conversations)} ${whose.join(" ")}`;
    });
    const what = told.length > 1 ? w("surge_teams", format.number(told.length)) : w("surge");
    const said = isCalm ? tiles.find((tile) => tile.surge.seen_at) : undefined;
    setText(this.what, told.length === 0 ? "" : `${what}  ${told.join("  \u00b7  ")}`);
    setText(this.who, isCalm ? `${w("seen_by")} ${said === undefined ? "" : this.seenBy(said.surge)}`.trim() : "");
    setIcon(this.mark, isCalm ? "eye" : "warn");
    this.mute.hidden = isCalm || !this.sound.isMute;
    this.button.disabled = isCalm;
    this.band.hidden = told.length === 0;
    this.band.classList.toggle("calm", isCalm);
    document.body.classList.toggle("banded", told.length > 0);
    document.body.classList.toggle("alarmed", !isCalm);
  }

  seenBy({ seen_at: at, seen_by: by }) {
    const { w, format } = this.tools;
    return `${format.time(at)} ${by === LEAD ? w("team_lead") : by}`.trim();
  }

  // Keys of the teams whose surge nobody has seen.
  alarming() {
    return this.unseen.map(([key]) => key);
  }

  acknowledge() {
    if (this.sound.isMute) this.sound.context.resume();
    if (this.unseen.length === 0) return;
    const seen = this.unseen;
    this.ring.acknowledge(seen);
    this.unseen = [];
    this.tell(seen.map(([, tile]) => tile));
    this.say(Object.fromEntries(seen.map(([key, tile]) => [key, tile.surge.since])));
  }

  // To the other screens. Quiet here it is either way.
  say(teams) {
    const headers = { "Content-Type": "application/json" };
    fetch(this.address, { method: "POST", headers, body: JSON.stringify({ teams }) }).catch(() => {});
  }
}
