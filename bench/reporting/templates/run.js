// A run, opened in a dialog from its link.
const dialog = document.getElementById("run");
const part = (name) => document.getElementById(`run-${name}`);
let hashBefore = "";

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Opens a run and makes its link the page's address; false where the page has no such run.
function showRun(id) {
  const run = page.runs[id];
  if (!run) return false;
  const hash = `#run-${id}`;
  if (!dialog.open) hashBefore = location.hash === hash ? "" : location.hash;
  if (location.hash !== hash) history[dialog.open ? "replaceState" : "pushState"](null, "", hash);
  if (!dialog.open) dialog.showModal();
  fillRun(id, run);
  dialog.scrollTop = 0;
  return true;
}

function fillRun(id, run) {
  part("where").textContent = [run.dataset, run.stage && `stage ${run.stage}`, id].filter(Boolean).join(" \u00b7 ");
  part("title").textContent = run.variant;
  const sample = run.sample === 0 ? "default configuration" : `configuration ${run.sample}`;
  const status = element("span", run.status, { class: run.status });
  part("status").replaceChildren(`${sample}, seed ${run.seed}, `, status, run.cause && `: ${run.cause}`);
  part("command").textContent = run.command;
  part("copy").textContent = "copy";
  list(part("settings"), run.settings);
  list(part("facts"), { ...run.facts, ...titled("digest of the ", run.digests) });
  list(part("environment"), page.environments[run.environment] ?? {});
  fillPicture(id, run);
  part("scores").replaceChildren(scoreTable(run));
  fillCurves(run);
  fillSteps(id, run);
}

const titled = (title, facts) =>
  Object.fromEntries(Object.entries(facts).map(([name, text]) => [title + name, text]));

function list(place, facts) {
  const found = Object.entries(facts);
  place.replaceChildren(...found.flatMap(([name, text]) => [element("dt", name), element("dd", text)]));
  place.hidden = place.previousElementSibling.hidden = !found.length;
}

function fillPicture(id, run) {
  const image = part("picture").querySelector("img");
  const kept = page.pictures[id] && `data:image/png;base64,${page.pictures[id]}`;
  const source = kept ?? document.querySelector(`img[data-run="${id}"]`)?.src;
  part("picture").hidden = !source;
  image.onload = () => { // at a whole number of screen pixels for each of the picture's own
    image.style.width = `${image.naturalWidth * Math.max(1, Math.floor(272 / image.naturalWidth))}px`;
  };
  if (source) image.src = source;
  image.alt = `Samples of ${run.variant}, run ${id}`;
}

// A line a score, a column for each table that the run stands in.
function scoreTable(run) {
  const boards = page.boards.filter((board) => board.slug in run.scores);
  if (!boards.length) return element("p", "It has no score.");
  const table = element("table");
  table.append(element("caption", "Its scores", { class: "unseen" }));
  const head = table.createTHead().insertRow();
  const kinds = new Set(boards.map((board) => `${board.table} ${board.name}`));
  const titles = boards.map((board) => (kinds.size === 1 ? board.checkpoint : `${board.table}, ${board.protocol}`));
  for (const title of ["score", ...titles]) head.append(element("th", title, { scope: "col", class: title === "score" ? "" : "n" }));
  const names = new Map(boards.flatMap((board) => board.metrics.map((metric) => [metric.name, metric.title])));
  const body = table.createTBody();
  for (const [name, title] of names) {
    const row = body.insertRow();
    const places = Math.max(...boards.flatMap((board) => board.metrics).filter((metric) => metric.name === name).map((metric) => metric.places));
    row.append(element("th", title, { scope: "row" }));
    for (const board of boards) {
      const index = board.metrics.findIndex((metric) => metric.name === name);
      const value = run.scores[board.slug][index] ?? null;
      const text = value === null ? "\u2013" : value.toFixed(places);
      row.append(element("td", text, { class: "n" }));
    }
  }
  return table;
}

function fillCurves(run) {
  const points = (name) => {
    const [steps, values] = run.curves[name] ?? [[], []];
    return steps.map((step, place) => ({ step, value: values[place], player: page.charts.players[name] }));
  };
  chart("score-curve", "scores", points("frechet"));
  chart("loss-curve", "losses", Object.keys(page.charts.players).flatMap(points));
}

function chart(place, name, curve) {
  part(place).hidden = !curve.length;
  if (curve.length) draw(part(place).querySelector(".live"), { ...structuredClone(page.charts[name]), datasets: { curve } });
}

// Runs of the same variant and stage, in the plan's order.
function fillSteps(id, run) {
  const ids = Object.keys(page.runs).filter((other) =>
    ["variant", "dataset", "stage"].every((key) => page.runs[other][key] === run[key]));
  const place = ids.indexOf(id);
  part("place").textContent = `run ${place + 1} of ${ids.length}`;
  for (const [name, other] of [["before", ids[place - 1]], ["after", ids[place + 1]]]) {
    part(name).disabled = other === undefined;
    part(name).onclick = () => showRun(other);
  }
}

part("copy").addEventListener("click", async () => {
  getSelection().selectAllChildren(part("command"));
  const done = navigator.clipboard ? navigator.clipboard.writeText(part("command").textContent) : Promise.reject();
  part("copy").textContent = await done.then(() => "copied", () => (document.execCommand("copy") ? "copied" : "selected"));
});
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog.addEventListener("close", () => {
  if (location.hash.startsWith("#run-"))
    history.replaceState(null, "", hashBefore || location.pathname + location.search);
});
