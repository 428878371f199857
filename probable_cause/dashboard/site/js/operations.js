// Is the job itself well: when it was last heard of, how far behind each shard is, and what it could not read.

import { poll } from "./api.js";
import { h, patch } from "./dom.js";
import { count, plain } from "./text.js";
import { span, time } from "./time.js";

export function open(root) {
  document.title = "Operations · Probable Cause";
  let page = h("div", { class: "page" }, h("h1", {}, "Operations"), h("p", { class: "loading" }, "Loading…"));
  let data = null;
  root.replaceChildren(page);
  const draw = () => (page = patch(page, whole(data)));
  const stop = poll("/api/operations", (content) => {
    data = content;
    draw();
  });
  return { close: stop, redraw: () => data && draw() };
}

function whole(data) {
  const lines = Object.entries(data.lines);
  const total = Object.values(data.lag_ms).reduce((most, one) => Math.max(most, one), 0);
  return h(
    "div",
    { class: "page" },
    h("h1", {}, "Operations"),
    h(
      "section",
      { class: "panel" },
      h("h2", {}, "The job"),
      data.job_seen_at
        ? h(
            "dl",
            { class: "facts" },
            fact("Last heard of", time(data.job_seen_at, "wall")),
            fact("Batch", data.batch_id ?? "–"),
            fact("Furthest behind", Object.keys(data.lag_ms).length ? span(total) : "–"),
            fact("Driver", plain(data.driver.owner ?? "–", 60)),
            fact("Took over", time(data.driver.taken_at)),
          )
        : h(
            "p",
            { class: "soft" },
            "The job has not reported to these tables yet. It does so with its first batch; ",
            h("code", {}, "probable-cause doctor"),
            " says what may be missing.",
          ),
    ),
    h("section", { class: "panel" }, h("h2", {}, "Lag by shard"), shards(Object.entries(data.lag_ms))),
    h(
      "div",
      { class: "columns even" },
      h(
        "section",
        { class: "panel" },
        h("h2", {}, "Lines read since the job started"),
        lines.length
          ? table(
              ["Family", "Lines"],
              lines.map(([family, n]) => [plain(family, 60), count(n)]),
            )
          : none("No line was read yet."),
      ),
      h(
        "section",
        { class: "panel" },
        h("h2", {}, "Lines that could not be read"),
        data.rejects.length
          ? table(
              ["Family", "Reason", "Lines"],
              data.rejects.map((one) => [plain(one.family, 60), plain(one.reason, 120), count(one.count)]),
            )
          : none("Every line was understood. Lines that are not are kept with their reason, and counted here."),
      ),
    ),
  );
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
const none = (text) => h("p", { class: "soft" }, text);

function shards(rows) {
  if (!rows.length) return none("The job has not reported how far behind each shard is.");
  const most = Math.max(...rows.map(([, ms]) => ms), 1000);
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", {}, "Shard"),
        h("th", { class: "right" }, "Behind"),
        h("th", {}, h("span", { class: "hidden" }, "Drawn")),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map(([shard, ms]) =>
        h(
          "tr",
          { key: shard },
          h("td", {}, h("code", {}, plain(shard, 60))),
          h("td", { class: "right num" }, span(ms)),
          h(
            "td",
            { class: "bar-cell" },
            h("span", { class: "bar", style: { width: `${Math.max((ms / most) * 100, 0.5)}%` } }),
          ),
        ),
      ),
    ),
  );
}

function table(heads, rows) {
  const right = (index) => (index === heads.length - 1 ? "right num" : null);
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((head, index) => h("th", { class: right(index) }, head)),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          {},
          row.map((cell, index) => h("td", { class: right(index) }, cell)),
        ),
      ),
    ),
  );
}
