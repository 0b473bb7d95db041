// The leaderboard: one board and one score at a time, sorted and filtered; its state is its link.
const at = (name) => document.getElementById(name);
const heads = [...at("board").tHead.rows[0].cells];
const start = { group: page.boards[0].slug, metric: page.boards[0].metrics[0].name, sort: "place", order: "up", only: "" };
let state = { ...start };
const opened = new Set(); // names of lines whose runs are listed

function option(value, text) {
  return new Option(text, value);
}

function current() {
  const board = page.boards.find((one) => one.slug === state.group) ?? page.boards[0];
  const metric = board.metrics.find((one) => one.name === state.metric) ?? board.metrics[0];
  return { board, metric };
}

const cellOf = (line, metric, key) => line.cells[metric.name]?.[key] ?? line.facts[key] ?? [null, "\u2013"];

// Lines that the filter lets through, in the chosen order; those without a value come last.
function chosenLines(board, metric) {
  const wanted = state.only.toLowerCase().split(",").map((word) => word.trim()).filter(Boolean);
  const lines = board.lines.filter((line) =>
    !wanted.length || wanted.some((word) => line.name.toLowerCase().includes(word)));
  const by = (key, sign) => (a, b) => {
    const [[first, one], [second, other]] = [cellOf(a, metric, key), cellOf(b, metric, key)];
    if (key === "name" || key === "group") return sign * one.localeCompare(other, "en");
    if (first === null || second === null) return (first === null) - (second === null);
    return sign * (first - second);
  };
  return lines.toSorted(by("place", 1)).toSorted(by(state.sort, state.order === "up" ? 1 : -1));
}

function showBoard() {
  const { board, metric } = current();
  fillControls(board, metric);
  const lines = chosenLines(board, metric);
  const grouped = metric === board.metrics[0] && board.lines.some((line) => line.facts.group[1]);
  for (const head of heads) {
    const key = head.dataset.key;
    head.hidden = key === "group" && !grouped;
    if (key === state.sort) head.setAttribute("aria-sort", state.order === "up" ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
    if (key === "n") head.firstChild.textContent = board.unit;
  }
  at("board").tBodies[0].replaceChildren(...lines.flatMap((line) => rowsOf(board, metric, line, grouped)));
  at("board").tFoot.replaceChildren(...board.floors.map((floor) => floorRow(floor, metric)));
  const shown = lines.length === board.lines.length ? "" : ` ${lines.length} of ${board.lines.length} variants.`;
  at("board-said").textContent = `${board.table}. ${metric.title}, ${metric.direction}: ${board.note}.${shown}`;
  at("board-order").textContent = metric.order || "The places are by mean; this score was not tested.";
  showChart(board, metric, lines);
}

function rowsOf(board, metric, line, grouped) {
  const row = element("tr");
  const isOpen = opened.has(line.name);
  for (const { dataset: { key } } of heads) {
    if (key === "name") row.append(nameCell(line, isOpen));
    else if (key !== "group" || grouped) {
      const cell = element("td", cellOf(line, metric, key)[1], { class: key === "group" ? "" : key === "mean" ? "n first" : "n" });
      const interval = cellOf(line, metric, "interval")[1];
      if (key === "mean" && interval !== "\u2013") cell.title = `95% interval of the mean: ${interval}`;
      row.append(cell);
    }
  }
  return isOpen ? [row, runsRow(board, metric, line)] : [row];
}

function nameCell(line, isOpen) {
  const cell = element("th", undefined, { scope: "row" });
  const button = element("button", line.name, { type: "button", "aria-expanded": isOpen, title: "its runs" });
  button.addEventListener("click", () => {
    isOpen ? opened.delete(line.name) : opened.add(line.name);
    showBoard();
    [...at("board").querySelectorAll("tbody th button")].find((other) => other.textContent === line.name)?.focus();
  });
  cell.append(button);
  if (line.study) cell.append(element("abbr", "\u2020", { title: "one of the study's eight" }));
  if (line.lost) cell.append(element("small", line.lost));
  return cell;
}

function runsRow(board, metric, line) {
  const row = element("tr", undefined, { class: "line-runs" });
  const cell = element("td", undefined, { colspan: heads.length });
  const items = scoredRuns(board, metric, line).map(({ id, run, value }) => {
    const link = element("a", whichRun(board, run), { href: `#run-${id}` });
    link.append(element("b", value === null ? run.status : value.toFixed(metric.places)));
    const item = element("li");
    item.append(link);
    return item;
  });
  const list = element("ul", undefined, { "aria-label": `Runs of ${line.name}, best first` });
  list.append(...items);
  cell.append(list);
  if (line.more) cell.append(element("small", `${line.more.toLocaleString("en")} more runs are in rows.csv only`));
  row.append(cell);
  return row;
}

function floorRow(floor, metric) {
  const row = element("tr", undefined, { class: "floor" });
  const name = element("th", `${floor.name} `, { scope: "row", colspan: 2 });
  name.append(element("small", floor.kind));
  const value = floor.cells[metric.name]?.[1] ?? "\u2013";
  row.append(name, element("td", value, { class: "n" }), element("td", "", { colspan: heads.length - 3 }));
  return row;
}

// The chart above the leaderboard shows its first view; any other view has its own below.
function showChart(board, metric, lines) {
  const figure = at("board-chart");
  const first = board === page.boards[0] && metric === board.metrics[0] && lines.length === board.lines.length;
  figure.hidden = first || !lines.length || lines.some((line) => line.more);
  if (figure.hidden) return;
  const place = figure.querySelector(".live");
  place.setAttribute("aria-label", `${metric.title} of every run in this table; the table has the numbers.`);
  figure.querySelector("figcaption").textContent =
    `The table above, one dot per run. ${board.table}; ${board.protocol}.`;
  const { sort, order } = state;
  drawDots(place, board, metric, sort === "place" && order === "up" ? lines : [...lines]);
}

function fillControls(board, metric) {
  const tables = [...new Set(page.boards.map((one) => one.table))];
  at("board-table").replaceChildren(...tables.map((name) => option(name, name)));
  at("board-table").value = board.table;
  const protocols = page.boards.filter((one) => one.table === board.table);
  at("board-protocol").replaceChildren(...protocols.map((one) => option(one.slug, one.protocol)));
  at("board-protocol").value = board.slug;
  at("board-metric").replaceChildren(...board.metrics.map((one) => option(one.name, `${one.title} (${one.direction})`)));
  at("board-metric").value = metric.name;
  if (at("board-filter") !== document.activeElement) at("board-filter").value = state.only;
}

// Takes over a part of the state, shows it, and makes it the page's address.
function change(part) {
  state = { ...state, ...part };
  const { board, metric } = current();
  state.group = board.slug;
  state.metric = metric.name;
  const told = Object.entries(state).filter(([key, value]) => value !== start[key]);
  const query = new URLSearchParams(told).toString();
  history.replaceState(null, "", `#leaderboard${query && "?"}${query}`);
  showBoard();
}

function sortBy(key) {
  if (state.sort === key) return change({ order: state.order === "up" ? "down" : "up" });
  const { metric } = current();
  const higher = metric.better === "higher" && ["mean", "interval", "low", "high"].includes(key);
  return change({ sort: key, order: higher ? "down" : "up" });
}

for (const head of heads) {
  const button = element("button", head.textContent, { type: "button" });
  button.addEventListener("click", () => sortBy(head.dataset.key));
  head.replaceChildren(button);
}
at("board-table").addEventListener("change", ({ target }) =>
  change({ group: page.boards.find((one) => one.table === target.value).slug }));
at("board-protocol").addEventListener("change", ({ target }) => change({ group: target.value }));
at("board-metric").addEventListener("change", ({ target }) => change({ metric: target.value }));
at("board-filter").addEventListener("input", ({ target }) => change({ only: target.value }));
document.querySelector(".controls").addEventListener("submit", (event) => event.preventDefault());
