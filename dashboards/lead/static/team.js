// One team, person by person: who is due first stands on top, and one click says that somebody looks after it.
import { Alarm } from "/static/alarm.js";
import { cell, fill, node, setIcon, setText, setTone } from "/static/dom.js";
import { attainment, average } from "/static/figures.js";
import { NOTHING } from "/static/format.js";
import { setting } from "/static/settings.js";
import { Shell, by } from "/static/shell.js";
import { Stream } from "/static/stream.js";
import { BLIND, CALM, OVER, WARN, breakOverrun, inOrder, promiseOf, shownId, together, urgency } from "./people.js";
import { offerBeside, openScreen } from "./turned.js";

const UNASSIGNED = "unassigned";
const COLUMNS = ["staff_number", "presence", "in_hands", "to_breach", "oldest_unanswered", "overdue_today"];
const LOOKS = {
  ready: { tone: "good", shape: "fine" },
  on_break: { tone: "ok", shape: "pause" },
  offline: { tone: "none", shape: "off" },
};

class TeamScreen extends Shell {
  constructor(words) {
    super(words, (onBoard) => new Stream(onBoard, `${location.pathname}/events`));
    // Who signed in to the portal has no way to the map.
    if (location.pathname.startsWith("/portal/")) offerBeside("/portal/teams", "team", words);
    else offerBeside("/map", "seat_map", words);
    const { w } = this.tools;
    this.team = decodeURIComponent(location.pathname.split("/").pop());
    this.tellTeam();
    this.rows = new Map();
    this.failed = new Map();
    this.held = false;
    this.mayFollow = false;
    this.alarm = new Alarm(by("alarm"), this.tools, location.pathname.startsWith("/portal/") ? `${location.pathname}/seen` : "/seen");
    this.cells = {
      waiting: cell("waiting", w("waiting"), 6),
      oldest_wait: cell("oldest_wait", w("oldest_unanswered"), 6),
      overdue: cell("overdue", w("overdue"), 5),
    };
    by("now").append(...Object.values(this.cells));
    const titles = COLUMNS.map((key) => node("div", `cell ${key}`, w(key)));
    document.querySelector("#people .head").append(...titles, node("div", "act"));
    setText(by("nobody"), w("no_people"));
    this.holdStill(by("list"));
    this.askWhoIAm();
  }

  tellTeam() {
    const name = this.nameOfTeam();
    const isNamed = this.team !== UNASSIGNED && name !== this.team;
    const title = isNamed ? name : `${this.tools.w("team")} ${name}`;
    if (document.title === `${title} - Seatwatch`) return;
    setText(by("title"), title);
    document.title = `${title} - Seatwatch`;
  }

  // Of a team that nobody told of yet no tile says its name: the server does, to who may see every client.
  nameOfTeam() {
    const given = this.stream.settings === null ? {} : this.stream.settings.team_names;
    const told = this.teamName(this.team);
    return told === this.team ? given[document.documentElement.lang.startsWith("en") ? "en" : "zh"] || told : told;
  }

  // Nothing moves away from under a pointer that is about to press a button.
  holdStill(list) {
    const hold = (held) => () => {
      this.held = held;
    };
    list.addEventListener("pointerenter", hold(true));
    list.addEventListener("pointerleave", hold(false));
    list.addEventListener("focusin", hold(true));
    list.addEventListener("focusout", hold(false));
  }

  // Without the right to follow up there is no button at all.
  askWhoIAm() {
    fetch(`${location.pathname}/follow-up`, { cache: "no-store" })
      .then((answer) => (answer.ok ? answer.json() : { by: null }))
      .then(({ by: name }) => {
        this.mayFollow = name !== null;
        document.body.classList.toggle("may-follow", this.mayFollow);
        this.schedule();
      })
      .catch(() => setTimeout(() => this.askWhoIAm(), FAILED_MS));
  }

  show(view, now, stale) {
    const teams = Object.values(view.teams);
    this.tellTeam();
    const breakLimit = this.stream.settings.break_limit_ms;
    const promise = promiseOf(teams);
    this.alarm.render(view.teams, !stale, this.stream.settings.alarm_repeat_ms);
    this.showTogether(together(view.people, promise, breakLimit, now), now);
    this.showPromise(teams);
    by("nobody").hidden = Object.keys(view.people).length > 0;
    for (const [key, row] of this.rows) {
      if (view.people[key] === undefined) {
        row.remove();
        this.rows.delete(key);
      }
    }
    this.place(inOrder(view.people, breakLimit, now));
    for (const [key, person] of Object.entries(view.people)) {
      this.showPerson(this.rows.get(key), person, promise, breakLimit, now);
    }
  }

  showTogether(all, now) {
    const { w, format } = this.tools;
    const tone = all.waiting === 0 ? "none" : "";
    const known = all.known < all.people ? w("known_people", format.number(all.known), format.number(all.people)) : "";
    const oldest = all.oldest === null ? NOTHING : format.elapsed(now - all.oldest);
    const breaks = all.breaks > 0 ? `${w("on_break")} ${format.number(all.breaks)}` : "";
    fill(this.cells.waiting, { tone, big: format.number(all.waiting), small: known });
    fill(this.cells.oldest_wait, { tone, big: oldest, small: breaks });
    const late = all.overdue > 0;
    fill(this.cells.overdue, {
      tone: late ? "bad" : "none",
      shape: late ? "bad" : "fine",
      big: format.number(all.overdue),
      small: all.followed > 0 ? `${w("followed")} ${format.number(all.followed)}` : "",
    });
  }

  // How the team keeps the promise today, once for each client it works for.
  showPromise(teams) {
    const { w } = this.tools;
    const section = by("promise");
    while (section.children.length < teams.length) {
      const card = node("p", "kept");
      card.name = node("bdi", "client");
      card.attainment = cell("attainment", w("attainment"), 6);
      card.average = cell("average_response", w("average_response"), 5);
      card.append(card.name, card.attainment, card.average);
      section.append(card);
    }
    Array.from(section.children).forEach((card, at) => {
      card.hidden = at >= teams.length;
      if (card.hidden) return;
      const tile = teams[at];
      const kept = attainment(tile.day.attainment, tile.attainment_target, this.tools);
      setText(card.name, this.tools.clientName(tile.client));
      fill(card.attainment, { ...kept, small: `${kept.small} ${kept.verdict}`.trim() });
      fill(card.average, average(tile.day.average_response, tile, this.tools));
    });
  }

  // Rows in `order`; those that are there already stay where they are while somebody is about to click.
  place(order) {
    const list = by("list");
    const before = Array.from(list.children, (row) => row.key);
    const wanted = this.held ? [...before, ...order.filter((key) => !this.rows.has(key))] : order;
    wanted.forEach((key, at) => {
      const row = this.rows.get(key) || this.addRow(key);
      if (list.children[at] !== row) list.insertBefore(row, list.children[at] || null);
    });
  }

  addRow(key) {
    const { w } = this.tools;
    const row = node("div", "person");
    row.key = key;
    row.cells = {
      staff_number: node("div", "cell staff_number"),
      presence: cell("presence", w("presence"), 12),
      in_hands: cell("in_hands", w("in_hands"), 5),
      to_breach: cell("to_breach", w("to_breach"), 5),
      oldest_unanswered: cell("oldest_unanswered", w("oldest_unanswered"), 6),
      overdue_today: cell("overdue_today", w("overdue_today"), 5),
    };
    row.name = node("bdi", "title");
    row.seat = node("bdi", "seat");
    row.cells.staff_number.append(row.name, row.seat);
    row.act = node("div", "act");
    row.mark = node("span", "mark");
    row.told = node("span", "told");
    row.by = node("bdi", "by");
    row.followed = node("span", "followed", row.mark, node("span", "", row.told, row.by));
    row.button = node("button", "", w("follow_up"));
    row.button.type = "button";
    row.button.addEventListener("click", () => this.follow(key, row));
    row.act.append(row.followed, row.button);
    setIcon(row.mark, "eye");
    row.append(...Object.values(row.cells), row.act);
    this.rows.set(key, row);
    return row;
  }

  showPerson(row, person, promise, breakLimit, now) {
    const { w, format } = this.tools;
    const { cells } = row;
    const { rank, left } = urgency(person, promise, now);
    row.dataset.rank = String(rank);
    row.classList.toggle("silent", person.stale_since !== null);
    setText(row.name, shownId(person));
    setText(row.seat, person.seat === UNASSIGNED ? w("unassigned") : person.seat);
    this.showPresence(cells.presence, person, breakLimit, now);
    if (rank === BLIND) {
      const nothing = { tone: "none", big: NOTHING };
      for (const name of ["in_hands", "to_breach", "oldest_unanswered"]) fill(cells[name], nothing);
    } else {
      const full = person.limit > 0 && person.hands >= person.limit;
      const held = `${format.number(person.hands)}/${format.number(person.limit)}`;
      fill(cells.in_hands, { tone: full ? "warn" : person.hands === 0 ? "none" : "", big: held, small: full ? w("hands_full") : "" });
      fill(cells.to_breach, this.toBreach(person, rank, left));
      const waits = person.oldest_since !== null;
      const oldest = waits ? format.elapsed(now - person.oldest_since) : NOTHING;
      const more = person.waiting > 1 ? `${w("waiting")} ${format.number(person.waiting)}` : "";
      fill(cells.oldest_unanswered, { tone: waits ? "" : "none", big: oldest, small: more });
    }
    fill(cells.overdue_today, { tone: person.overdue_today === 0 ? "none" : "", big: format.number(person.overdue_today) });
    this.showFollowed(row, person, rank, breakOverrun(person, breakLimit, now), now);
  }

  showPresence(made, person, breakLimit, now) {
    const { w, format } = this.tools;
    if (person.presence === null) {
      fill(made, { tone: "none", shape: "unknown", big: w("unknown"), small: w("never_heard") });
      return;
    }
    const { tone, shape } = LOOKS[person.presence] || { tone: "none", shape: "unknown" };
    const word = w(person.presence);
    if (person.stale_since !== null) {
      const since = `${w("stale_since")} ${format.since(person.stale_since, now)}`;
      fill(made, { tone: "none", shape: "unknown", big: word, small: since });
      return;
    }
    const held = person.since === null ? "" : format.elapsed(now - person.since);
    const over = breakOverrun(person, breakLimit, now);
    const small = person.presence === "ready" ? w(person.activity) : "";
    if (over > 0) {
      fill(made, { tone: "warn", shape: "warn", big: word, unit: held, small: `${w("break_overrun")} ${format.elapsed(over)}` });
    } else fill(made, { tone, shape, big: word, unit: held, small });
  }

  toBreach(person, rank, left) {
    const { w, format } = this.tools;
    if (rank === OVER) {
      const many = person.overdue > 1 ? ` ${format.number(person.overdue)}` : "";
      return { tone: "bad", shape: "bad", big: `+${format.elapsed(-left)}`, small: `${w("overdue")}${many}` };
    }
    if (rank === CALM) return { tone: "none", big: NOTHING };
    if (left === null) return { tone: "none", shape: "fine", small: w("not_due") };
    const shown = { big: format.number(Math.ceil(left / 1000)), unit: w("seconds") };
    if (rank === WARN) return { ...shown, tone: "warn", shape: "warn", small: w("due_soon") };
    return { ...shown, tone: "", shape: "wait", small: w("in_time") };
  }

  // Who looks after it already; else the button, where somebody owes a reply or a break is too long.
  showFollowed(row, person, rank, overrun, now) {
    const { w, format } = this.tools;
    const followed = person.followed_at !== null;
    row.followed.hidden = !followed;
    if (followed) {
      setText(row.told, `${w("followed")} ${format.elapsed(now - person.followed_at)}`);
      setText(row.by, person.followed_by);
      row.sent = false;
    }
    const failed = this.failed.get(row.key) > performance.now();
    row.button.hidden = followed || !this.mayFollow || (rank >= CALM && overrun === 0);
    row.button.disabled = row.sent === true;
    setText(row.button, w(failed ? "follow_up_failed" : "follow_up"));
    setTone(row.button, failed ? "bad" : rank <= WARN || overrun > 0 ? "warn" : "");
  }

  follow(key, row) {
    row.sent = true;
    row.button.disabled = true;
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ person: key }) };
    fetch(`${location.pathname}/follow-up`, request)
      .then((answer) => answer.ok)
      .catch(() => false)
      .then((taken) => {
        // it is shown once the record has it; a click that got lost is said and can be repeated
        if (!taken) this.failed.set(key, performance.now() + setting("followUpToldMs"));
        setTimeout(() => {
          row.sent = false;
        }, taken ? setting("followUpToldMs") : 0);
        this.schedule();
      });
  }
}

openScreen(TeamScreen);
