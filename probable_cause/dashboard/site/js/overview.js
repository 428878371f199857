// All applications, what hurts most first (the API's order). Filters live in the address: a link shows the same.

import { actOn, openAct } from "./act.js";
import { poll } from "./api.js";
import { children, h } from "./dom.js";
import { line } from "./row.js";
import { LAYER_NAMES, actorName, count, layerName, plain } from "./text.js";

const HEALTHS = ["failing", "degraded", "healthy"];
const FIRST = 60; // rows drawn at once; the others follow when the browser has a moment

export function open(root, _rest, query) {
  const filter = {
    q: query.get("q") ?? "",
    health: query.get("health") ?? "",
    layer: query.get("layer") ?? "",
    account: query.get("account") ?? "",
    actor: query.get("actor") ?? "",
  };
  const drawn = new Map(); // application id -> {text, row}
  let data = null;
  let later = 0;

  const search = h("input", {
    id: "search",
    type: "search",
    placeholder: "Search name, change, person, resource",
    "aria-label": "Search applications",
    autocomplete: "off",
    spellcheck: "false",
  });
  search.value = filter.q;
  const chips = h("div", { class: "chips", role: "group", "aria-label": "Health" });
  const picks = ["layer", "account", "actor"].map((name) => [name, h("select", { "aria-label": `Filter by ${name}` })]);
  const list = h("ul", { class: "apps" });
  const note = h("p", { class: "note soft", role: "status" }, "Loading…");
  root.replaceChildren(
    h("h1", { class: "hidden" }, "Applications"),
    h("div", { class: "filters" }, search, chips, ...picks.map(([, select]) => select)),
    h(
      "div",
      { class: "heads", "aria-hidden": "true" },
      h("span", {}, "Application"),
      h("span", {}, "Probable root cause"),
      ...LAYER_NAMES.map((layer) => h("span", {}, layerName(layer))),
    ),
    list,
    note,
  );

  function remember() {
    const parts = new URLSearchParams(Object.entries(filter).filter(([, value]) => value));
    history.replaceState(null, "", `#/${parts.size ? `?${parts}` : ""}`);
    draw();
  }
  search.addEventListener("input", () => {
    filter.q = search.value;
    remember();
  });
  chips.addEventListener("click", (event) => {
    const chip = event.target.closest("button");
    if (!chip) return;
    filter.health = filter.health === chip.dataset.health ? "" : chip.dataset.health;
    remember();
  });
  for (const [name, select] of picks) {
    select.addEventListener("change", () => {
      filter[name] = select.value;
      remember();
    });
  }

  function rowOf(app) {
    const text = JSON.stringify(app);
    const old = drawn.get(app.application_id);
    if (old?.text === text) return old.row;
    const row = line(app);
    // A patched row keeps focus; its element stays the one on the page.
    if (old) children(old.row, [...row.childNodes]);
    if (old) old.row.className = row.className;
    const kept = old?.row ?? row;
    drawn.set(app.application_id, { text, row: kept, app });
    return kept;
  }

  function draw() {
    if (!data) return;
    const fitting = data.filter((app) => fits(app, filter));
    chipsOf(chips, data, filter);
    for (const [name, select] of picks) options(select, name, data, filter[name]);
    cancelIdleCallback(later);
    if (list.childElementCount === 0 && fitting.length > FIRST) {
      list.replaceChildren(...fitting.slice(0, FIRST).map(rowOf));
      later = requestIdleCallback(() => inOrder(list, fitting.map(rowOf)), { timeout: 300 });
    } else inOrder(list, fitting.map(rowOf));
    note.textContent =
      data.length === 0
        ? "No application has had an event of interest yet. As soon as a log line names one, it appears here."
        : fitting.length === 0
          ? "No application fits the search and filters."
          : `${count(fitting.length)} of ${count(data.length)} applications`;
  }

  const stop = poll("/api/applications", (content) => {
    data = content.applications;
    document.title = titleOf(data);
    draw();
  });

  const links = () => [...list.querySelectorAll("a.name")];
  function move(step) {
    const all = links();
    const at = all.indexOf(document.activeElement?.closest("li")?.querySelector("a.name"));
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    next?.focus();
    next?.closest("li").scrollIntoView({ block: "nearest" });
    return true;
  }
  function act(action) {
    const id = document.activeElement?.closest("li")?.dataset.app;
    const app = drawn.get(id)?.app;
    if (!app?.root_cause) return false;
    openAct(JSON.parse(actOn(id, app.root_cause, action)));
    return true;
  }
  const does = {
    j: () => move(1),
    k: () => move(-1),
    a: () => act("acknowledge"),
    r: () => act("resolve"),
    o: () => act("reopen"),
  };
  return {
    close: () => {
      stop();
      cancelIdleCallback(later);
    },
    key: (name) => does[name]?.() ?? false,
    redraw: () => {
      drawn.clear();
      list.replaceChildren();
      draw();
    },
  };
}

/** Makes `list` hold exactly `rows`; a focused row that stays in place is not touched. */
function inOrder(list, rows) {
  const wanted = new Set(rows);
  for (const old of [...list.children]) if (!wanted.has(old)) old.remove();
  rows.forEach((row, index) => {
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
}

function titleOf(data) {
  const failing = data.filter((app) => app.health === "failing").length;
  return failing ? `(${failing}) Probable Cause` : "Probable Cause";
}

function fits(app, filter) {
  if (filter.health && app.health !== filter.health) return false;
  if (filter.account && !app.accounts.includes(filter.account)) return false;
  const layers = filter.layer ? [app.layers[filter.layer]] : Object.values(app.layers);
  if (filter.layer && !layers.some((layer) => layer?.event)) return false;
  if (filter.actor && ![app.root_cause, ...layers.map((one) => one?.event)].some((one) => one?.actor === filter.actor))
    return false;
  const words = filter.q.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const events = [app.root_cause, ...layers.map((layer) => layer?.event)].filter(Boolean);
  const text = [
    app.application_id,
    app.health,
    ...app.accounts,
    ...events.flatMap((one) => [one.summary, one.actor, one.event_key, ...(one.resource_ids ?? [])]),
  ]
    .join(" ")
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

function chipsOf(chips, data, filter) {
  children(
    chips,
    HEALTHS.map((health) => {
      const many = data.filter((app) => app.health === health).length;
      return h(
        "button",
        {
          type: "button",
          key: health,
          class: `chip ${health}`,
          "data-health": health,
          "aria-pressed": filter.health === health ? "true" : "false",
        },
        `${count(many)} ${health}`,
      );
    }),
  );
}

function options(select, name, data, chosen) {
  const values = new Set(chosen ? [chosen] : []);
  for (const app of data) {
    if (name === "account") app.accounts.forEach((one) => values.add(one));
    if (name === "actor")
      for (const one of [app.root_cause, ...Object.values(app.layers).map((l) => l.event)])
        if (one?.actor) values.add(one.actor);
  }
  const all = name === "layer" ? LAYER_NAMES : [...values].sort().slice(0, 200);
  select.hidden = all.length === 0;
  const words = { layer: layerName, account: (one) => one, actor: actorName }[name];
  const wanted = [
    h("option", { value: "", key: "" }, `Any ${name}`),
    ...all.map((one) => h("option", { value: one, key: one }, plain(words(one), 60))),
  ];
  children(select, wanted);
  select.value = chosen;
}
