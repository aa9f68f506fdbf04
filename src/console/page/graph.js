// The pipeline as columns of cards, source → topic → query → table, and the lines between them.
import { h, number, rate, tone } from "/app.js";

const KINDS = { kafka: "topic", cassandra: "table", http: "API", file: "file", datagen: "generator", print: "print", blackhole: "nothing" };

function nodeOf(nodes, end) {
  const key = `${end.connector} ${end.object}`;
  if (!nodes.has(key)) nodes.set(key, { key, kind: KINDS[end.connector] ?? end.connector, name: end.object, connector: end.connector, in: [], out: [] });
  return nodes.get(key);
}

function link(from, to) {
  if (!from.out.includes(to)) { from.out.push(to); to.in.push(from); }
}

/** Nodes by column: a node stands right of all that feed it. */
function layers(nodes) {
  const column = new Map();
  const place = (node, path) => {
    if (column.has(node)) return column.get(node);
    if (path.has(node)) return 0;
    const at = Math.max(-1, ...node.in.map((before) => place(before, new Set(path).add(node)))) + 1;
    column.set(node, at);
    return at;
  };
  const columns = [];
  for (const node of nodes.values()) (columns[place(node, new Set())] ??= []).push(node);
  return columns;
}

/** The nodes of QUERIES and of the DAGs' tasks. */
export function build(queries, dags) {
  const nodes = new Map();
  const add = (key, node, part) => {
    nodes.set(key, Object.assign(node, { key, in: [], out: [] }));
    for (const end of part.sources ?? []) link(nodeOf(nodes, end), node);
    for (const end of part.sinks ?? []) link(node, nodeOf(nodes, end));
  };
  for (const query of queries) add(`query ${query.name}`, { kind: "query", name: query.name, query }, query);
  for (const dag of dags)
    for (const task of dag.tasks)
      if (task.sinks?.length) add(`task ${dag.id}.${task.id}`, { kind: "DAG task", name: dag.id, title: `${dag.id}.${task.id}`, dag }, task);
  return layers(nodes);
}

/** What stands on a card: a table without its keyspace, which is below; a URL without what all have. */
function label(node) {
  if (node.connector === "cassandra") return node.name.slice(node.name.indexOf(".") + 1);
  return node.name.replace(/^https?:\/\//, "");
}

function figures(node, topics) {
  const topic = node.connector === "kafka" && topics.get(node.name);
  if (topic) return [`${number(topic.records)} records`, rate(topic.rate)];
  if (node.query) return [`${number(node.query.rows_out)} rows`, node.query.dead_letters ? `${number(node.query.dead_letters)} dead` : rate(node.query.rate)];
  if (node.dag) return [node.dag.schedule ?? "by hand", node.dag.last_run?.state ?? ""];
  return [node.connector === "cassandra" ? node.name.slice(0, node.name.indexOf(".")) : "", ""];
}

function card(node, topics) {
  const state = node.query?.state ?? (node.dag && (node.dag.running ? "running" : node.dag.last_run?.state));
  const target = node.connector === "kafka" ? `#topics/${node.name}` : node.connector === "cassandra" ? `#tables/${node.name}` : node.dag ? "#dags" : null;
  const [left, right] = figures(node, topics);
  return h(target ? "a" : "div", { class: `node ${node.query || node.dag ? "query" : ""} ${state ?? ""}`, "data-key": node.key, href: target, title: node.title ?? node.name },
    h("div", { class: "kind" }, node.kind, state && h("span", { class: `dot ${tone(state)}`, title: state })),
    h("div", { class: "name" }, label(node)),
    (left || right) && h("div", { class: "figures" }, h("span", {}, left), h("span", {}, right)));
}

/** The cards over SVG, whose lines are drawn when the cards have their places. */
export function view(columns, topics, svg) {
  return h("div", { class: "columns" }, svg, ...columns.map((nodes) => h("div", { class: "column" }, ...nodes.map((node) => card(node, topics)))));
}

const flowing = (from, to) => (from.query ?? to.query)?.rate > 0 || (from.dag ?? to.dag)?.running > 0;

/** Draws the lines over the cards that stand in ROOT. */
export function lines(root, columns) {
  const box = root.firstChild.getBoundingClientRect();
  const place = (key) => root.querySelector(`[data-key="${CSS.escape(key)}"]`).getBoundingClientRect();
  const paths = [];
  for (const from of columns.flat()) {
    for (const to of from.out) {
      const a = place(from.key), b = place(to.key), stacked = b.left < a.right;
      const [x1, y1] = stacked ? [a.left + a.width / 2, a.bottom] : [a.right, a.top + a.height / 2];
      const [x2, y2] = stacked ? [b.left + b.width / 2, b.top] : [b.left, b.top + b.height / 2];
      const [dx, dy] = stacked ? [0, (y2 - y1) / 2] : [(x2 - x1) / 2, 0];
      const at = (x, y) => `${(x - box.left).toFixed(1)},${(y - box.top).toFixed(1)}`;
      paths.push(h("svg:path", { class: flowing(from, to) ? "flowing" : "", d: `M${at(x1, y1)} C${at(x1 + dx, y1 + dy)} ${at(x2 - dx, y2 - dy)} ${at(x2, y2)}` }));
    }
  }
  return h("svg:svg", { "aria-hidden": "true" }, ...paths);
}
