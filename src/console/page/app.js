// millrace's console: what /api/events tells, drawn anew each second; what is selected, asked for beside it.
import * as graph from "/graph.js";

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

/** An element; "svg:path" is one of SVG.  Attributes that are null or false are left out, functions are listeners. */
export function h(name, attributes, ...children) {
  const element = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (typeof value === "function") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false && child !== ""));
  return element;
}

/** Makes OLD like FRESH and keeps what is alike, so that focus, selection and scroll positions stay. */
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  old.onclick = fresh.onclick;
  const mine = [...old.childNodes], theirs = [...fresh.childNodes];
  theirs.forEach((child, i) => (mine[i] ? morph(mine[i], child) : old.append(child)));
  mine.slice(theirs.length).forEach((child) => child.remove());
}

function show(id, ...children) {
  const root = byId(id);
  morph(root, h("div", Object.fromEntries([...root.attributes].map(({ name, value }) => [name, value])), ...children));
}

export const number = (n) => (n == null || n < 0 ? "–" : n.toLocaleString("en"));
export const rate = (r) => (r > 0 ? `${r >= 10 ? number(Math.round(r)) : r.toFixed(1)}/s` : "");
const TONES = { running: "good", success: "good", starting: "warn", retrying: "warn", up_for_retry: "warn", queued: "warn", failed: "bad", upstream_failed: "bad" };
export const tone = (state) => TONES[state] ?? "";
const badge = (state) => h("span", { class: `state ${tone(state)}` }, state);

function duration(ms) {
  if (ms == null) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = Math.floor(ms / 1000), parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const first = parts.findIndex(([size]) => s >= size);
  return parts.slice(first, first + 2).map(([size, unit], i) => `${Math.floor((i ? s % parts[first][0] : s) / size)} ${unit}`).join(" ");
}
const moment = (text) => (text ? new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" }) : "–");

// ---- what is known ----

const state = { status: null, topics: null, tables: [], dags: [], messages: null, rows: null, topic: null, table: null, runs: {}, run: null, alive: false, notice: "" };

/** Each counter's growth a second, smoothed over some seconds. */
const rates = new Map();
function growth(key, value, at) {
  const last = rates.get(key);
  if (!last || value < last.value) rates.set(key, { value, at, rate: 0 });
  else if (at - last.at >= 900) {
    const now = ((value - last.value) * 1000) / (at - last.at), next = last.rate ? last.rate * 0.6 + now * 0.4 : now;
    rates.set(key, { value, at, rate: next < 0.05 ? 0 : next });
  }
  return rates.get(key).rate;
}

async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) {
    let what = text;
    try { const told = JSON.parse(text); what = told.error ?? told.message ?? text; } catch { /* no JSON: the text itself */ }
    throw new Error(what);
  }
  return answer.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : text;
}

async function change(path) {
  try {
    await ask(path, {});
    state.notice = "";
  } catch (error) {
    state.notice = error.message;
  }
  refresh();
}

// ---- sections ----

function server() {
  const s = state.status;
  if (!state.alive || !s) return show("server", h("span", { class: "dot bad" }), "not connected; trying again");
  show("server", h("span", { class: "mono" }, `kafka ${s.kafka}`), h("span", { class: "mono" }, `cql ${s.cql}`),
    h("span", {}, h("span", { class: "dot good" }), ` ${s.version} · up ${duration(s.uptime_ms)}`));
}

function pipeline() {
  const queries = state.status?.queries ?? [];
  const topics = new Map((state.topics ?? []).map((topic) => [topic.name, topic]));
  const columns = graph.build(queries, state.dags);
  if (!columns.length) {
    show("graph", h("p", { class: "empty" }, "No queries run here. Start a pipeline with ", h("code", {}, "millrace run DIR"), ", or try ", h("code", {}, "millrace sql"), "."));
    return show("queries");
  }
  const root = byId("graph");
  show("graph", graph.view(columns, topics, root.querySelector("svg")?.cloneNode(true) ?? h("svg:svg", {})));
  morph(root.querySelector("svg"), graph.lines(root, columns));
  show("queries", queries.length > 0 && h("div", { class: "card scroll wide" }, h("table", {},
    h("thead", {}, h("tr", {}, ...["Query", "State"].map((t) => h("th", {}, t)), ...["Rows in", "Rows out", "Rate", "Lag", "Dead letters", "Batch"].map((t) => h("th", { class: "num" }, t)), h("th", {}))),
    h("tbody", {}, ...queries.flatMap((q) => [
      h("tr", {}, h("td", {}, h("strong", {}, q.name)), h("td", {}, badge(q.state)), ...[number(q.rows_in), number(q.rows_out), rate(q.rate) || "–", number(q.lag)].map((t) => h("td", { class: "num" }, t)),
        h("td", { class: "num" }, q.dead_letters ? h("a", { href: `#topics/${q.name}.dlq` }, number(q.dead_letters)) : "0"), h("td", { class: "num" }, duration(q.batch_us / 1000)),
        h("td", {}, h("div", { class: "actions" }, ["running", "starting", "retrying"].includes(q.state)
          ? h("button", { onclick: () => change(`/api/queries/${encodeURIComponent(q.name)}/stop`) }, "Stop")
          : h("button", { class: "primary", onclick: () => change(`/api/queries/${encodeURIComponent(q.name)}/start`) }, "Start")))),
      q.error && h("tr", {}, h("td", { colspan: 9 }, h("p", { class: "error" }, q.error)))])), state.notice && h("caption", { class: "error" }, state.notice))));
}

function dags() {
  if (!state.dags.length) return show("dag-list", h("div", { class: "card" }, h("p", { class: "empty" }, "No DAGs. A project has them in ", h("code", {}, "dags/*.yaml"), ".")));
  show("dag-list", h("div", { class: "card scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, ...["DAG", "Schedule", "Runs", "Last", "Next", ""].map((t) => h("th", {}, t)))),
    h("tbody", {}, ...state.dags.flatMap((d) => [
      h("tr", {}, h("td", {}, h("strong", {}, d.id), d.description && h("div", { class: "soft" }, d.description)), h("td", { class: "mono" }, d.schedule ?? "by hand"),
        h("td", {}, runs(d)), h("td", {}, d.running ? badge("running") : d.last_run ? badge(d.last_run.state) : h("span", { class: "faint" }, "never")),
        h("td", { class: "soft" }, d.paused ? "paused" : moment(d.next_run)),
        h("td", {}, h("div", { class: "actions" }, h("button", { onclick: () => change(`/api/dags/${encodeURIComponent(d.id)}/${d.paused ? "unpause" : "pause"}`) }, d.paused ? "Unpause" : "Pause"),
          h("button", { class: "primary", onclick: () => change(`/api/dags/${encodeURIComponent(d.id)}/trigger`) }, "Trigger")))),
      state.run?.dag === d.id && h("tr", {}, h("td", { colspan: 6 }, run()))])))));
}

function runs(dag) {
  const list = (state.runs[dag.id] ?? []).slice(0, 24).reverse(), longest = Math.max(1, ...list.map((r) => r.duration_ms ?? 0));
  return h("div", { class: "runs" }, ...list.map((r) => h("button", { class: `${tone(r.state)} tall${Math.ceil(5 * Math.sqrt((r.duration_ms ?? longest) / longest))}`, title: `${r.run}: ${r.state}`, "aria-label": `${r.run}: ${r.state}`, "aria-pressed": String(state.run?.id === r.run),
    onclick: () => { state.run = state.run?.id === r.run ? null : { dag: dag.id, id: r.run }; refresh(); } })));
}

function run() {
  const { view, log } = state.run;
  if (!view) return h("div", { class: "run soft" }, "reading…");
  return h("div", {}, h("div", { class: "run" }, h("span", { class: "mono" }, view.run), badge(view.state), h("span", { class: "soft" }, `${moment(view.started_at)} · ${duration(view.duration_ms)}`),
    ...view.tasks.map((t) => h("span", {}, `${t.task ?? t.id} `, badge(t.state ?? "none")))), h("pre", { class: "log", tabindex: 0 }, log || "The log is empty."));
}

function list(id, items, none) {
  show(id, ...(items.length ? items.map(({ key, text, figure, current, choose }) => h("button", { "data-key": key, "aria-current": String(current), onclick: choose }, h("span", { class: "text", title: text }, text), h("span", { class: "num" }, figure)))
    : [h("p", { class: "empty" }, none)]));
}

function topics() {
  if (state.topics === null) return show("topic-list", h("p", { class: "empty" }, "reading…"));
  const shown = state.topics.filter((t) => !t.internal || t.name === state.topic);
  list("topic-list", shown.map((t) => ({ key: t.name, text: t.name, figure: `${number(t.records)}${t.rate ? ` · ${rate(t.rate)}` : ""}`, current: t.name === state.topic, choose: () => { location.hash = `topics/${t.name}`; } })), "No topics yet.");
}

function text(value) {
  if (value === null || value === undefined) return h("span", { class: "faint" }, "null");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const seen = { messages: new Set(), rows: new Set() };
/** Marks what was not there the last time, but not the first time. */
function fresh(kind, owner, key) {
  const set = seen[kind], first = set.owner !== owner;
  if (first) { set.clear(); set.owner = owner; set.since = Date.now(); }
  const is = !set.has(key) && Date.now() - set.since > 1500;
  set.add(key);
  return is ? "fresh" : null;
}

function messages() {
  const m = state.messages;
  if (!state.topic) return show("messages", h("p", { class: "empty" }, "Choose a topic to see its last messages."));
  if (m?.error) return show("messages", h("p", { class: "error empty" }, m.error));
  if (m?.topic !== state.topic) return show("messages", h("p", { class: "empty" }, "reading…"));
  if (!m.list.length) return show("messages", h("p", { class: "empty" }, `${state.topic} is empty.`));
  show("messages", h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "Time"), h("th", { class: "num" }, "Partition"), h("th", { class: "num" }, "Offset"), h("th", {}, "Key"), h("th", {}, "Value"))),
    h("tbody", {}, ...m.list.map((r) => h("tr", { class: fresh("messages", m.topic, `${r.partition}/${r.offset}`) }, h("td", { class: "soft" }, new Date(r.timestamp_ms).toLocaleTimeString()), h("td", { class: "num" }, String(r.partition)), h("td", { class: "num" }, String(r.offset)),
      h("td", { class: "value" }, text(r.key ?? r.key_base64)), h("td", { class: "value", title: reason(r) ?? r.value }, reason(r) && h("span", { class: "state bad" }, reason(r)), " ", text(r.value ?? r.value_base64))))))));
}

/** Why a record became a dead letter, as Kafka Connect's headers say. */
const reason = (record) => record.headers?.find((x) => x.name === "__connect.errors.exception.message")?.value;

function tables() {
  list("table-list", state.tables.map((t) => {
    const name = `${t.keyspace}.${t.table}`;
    return { key: name, text: name, figure: "", current: name === state.table, choose: () => { location.hash = `tables/${name}`; } };
  }), "No tables yet.");
}

function rows() {
  const r = state.rows;
  if (!state.table) return show("rows", h("p", { class: "empty" }, "Choose a table to see its last rows."));
  if (r?.error) return show("rows", h("p", { class: "error empty" }, r.error));
  if (r?.table !== state.table) return show("rows", h("p", { class: "empty" }, "reading…"));
  const keys = r.columns.map((c, i) => (c.kind === "partition_key" || c.kind === "clustering" ? i : -1)).filter((i) => i >= 0);
  show("rows", h("div", { class: "scroll" }, h("table", {}, h("caption", {}, `${r.rows.length} of ${number(r.read)}${r.more ? "+" : ""} rows, the last written first${r.more ? " (of the first 1,000 by token)" : ""}`),
    h("thead", {}, h("tr", {}, ...r.columns.map((c) => h("th", { title: `${c.type}, ${c.kind.replace("_", " ")}` }, c.name, c.kind === "partition_key" && " ⚷", c.kind === "clustering" && " ↕")))),
    h("tbody", {}, ...r.rows.map((row) => h("tr", { class: fresh("rows", r.table, JSON.stringify(keys.map((i) => row[i]))) }, ...row.map((v) => h("td", { class: "value", title: v === null ? "" : String(v) }, text(v)))))))));
}

function draw() {
  for (const part of [server, pipeline, dags, topics, messages, tables, rows]) part();
}

// ---- asking ----

async function readMessages() {
  const topic = state.topic;
  if (topic) await ask(`/api/topics/${encodeURIComponent(topic)}/messages?limit=25`).then(({ messages: found }) => { state.messages = { topic, list: found }; }, (error) => { state.messages = { error: error.message }; });
}

async function readRows() {
  const table = state.table, dot = table?.indexOf(".");
  if (table) await ask(`/api/tables/${encodeURIComponent(table.slice(0, dot))}/${encodeURIComponent(table.slice(dot + 1))}/rows?limit=25`).then((found) => { state.rows = { table, ...found }; }, (error) => { state.rows = { error: error.message }; });
}

async function readDags() {
  state.dags = (await ask("/api/dags")).dags;
  await Promise.all(state.dags.map(async (d) => { state.runs[d.id] = (await ask(`/api/dags/${encodeURIComponent(d.id)}/runs?limit=24`)).runs; }));
  const open = state.run;
  if (!open) return;
  const base = `/api/dags/${encodeURIComponent(open.dag)}/runs/${encodeURIComponent(open.id)}`;
  const view = await ask(base), task = view.tasks.findLast((t) => t.attempts?.length) ?? view.tasks[0];
  open.log = task ? await ask(`${base}/tasks/${encodeURIComponent(task.task ?? task.id)}/log`).catch((error) => error.message) : "";
  open.view = view;
}

let busy = false, again = false;
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  await Promise.allSettled([readMessages(), readRows(), readDags(), ask("/api/tables").then(({ tables: found }) => { state.tables = found; })]);
  if (!state.topic) state.topic = state.topics?.find((t) => !t.internal)?.name ?? null;
  if (!state.table && state.tables.length) state.table = `${state.tables[0].keyspace}.${state.tables[0].table}`;
  busy = false;
  draw();
  if (again) { again = false; refresh(); }
}

function choose() {
  const [section, name] = decodeURIComponent(location.hash.slice(1)).split(/\/(.*)/);
  if (section === "topics" && name) state.topic = name;
  if (section === "tables" && name) state.table = name;
  if (name) byId(section)?.scrollIntoView();
  refresh();
}

const events = new EventSource("/api/events");
events.addEventListener("overview", ({ data }) => {
  const told = JSON.parse(data), at = performance.now();
  state.alive = true;
  state.status = told.status;
  for (const query of told.status.queries) query.rate = growth(`query ${query.name}`, query.rows_in, at);
  if (told.topics) state.topics = told.topics.topics;
  for (const topic of state.topics ?? []) topic.rate = growth(`topic ${topic.name}`, topic.end, at);
  if (!document.hidden) refresh();
});
events.onerror = () => { state.alive = false; server(); };

addEventListener("hashchange", choose);
addEventListener("resize", () => draw());
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea")) return;
  const section = ["pipeline", "dags", "topics", "tables"][Number(event.key) - 1];
  if (section) { byId(section).scrollIntoView(); byId(section).focus({ preventScroll: true }); }
});
choose();
