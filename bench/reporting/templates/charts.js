// Charts: Vega-Lite draws them; here their data is put together.
const page = JSON.parse(document.getElementById("page-data").textContent);
const drawn = new WeakMap();

// Draws a specification in a place, instead of what was drawn there before.
async function draw(place, spec) {
  const turn = (drawn.get(place)?.turn ?? 0) + 1;
  const before = drawn.get(place)?.result;
  drawn.set(place, { turn, result: before });
  const result = await vegaEmbed(place, spec, {
    mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false,
    ast: true, // expressions are interpreted: the page allows no eval
    config: page.charts.config,
    tooltip: { disableDefaultStyle: true, formatTooltip: tooltip },
  });
  before?.finalize();
  if (drawn.get(place).turn === turn) drawn.set(place, { turn, result });
  return result.view;
}

// Lines of a tooltip; the one without a title is its heading.
function tooltip(value, escape) {
  return Object.entries(value)
    .filter(([, text]) => text !== "" && text !== undefined)
    .map(([title, text]) => {
      const said = escape(String(text));
      return title.trim() ? `<div><span>${escape(title)}</span> ${said}</div>` : `<div><b>${said}</b></div>`;
    })
    .join("");
}

// The runs of a line with their score in a metric, best first; those without one last.
function scoredRuns(board, metric, line) {
  const index = board.metrics.indexOf(metric);
  const sign = metric.better === "higher" ? -1 : 1;
  const cost = (value) => (metric.target === null ? sign * value : Math.abs(value - metric.target));
  const value = (id) => page.runs[id]?.scores[board.slug]?.[index] ?? null;
  return line.runs
    .map((id) => ({ id, run: page.runs[id], value: value(id) }))
    .sort((a, b) => (a.value === null) - (b.value === null) || cost(a.value) - cost(b.value));
}

function whichRun(board, run) {
  return board.unit === "seeds" ? `seed ${run.seed}` : `configuration ${run.sample}`;
}

// The dot plot of a board's lines in one metric.
function dotPlot(board, metric, lines) {
  const spec = structuredClone(page.charts.dots);
  const [title, better] = metric.axis;
  spec.encoding.x.axis.title = [title, better + (metric.ticks.length ? ", logarithmic axis" : "")];
  spec.encoding.x.scale = { zero: false, padding: 8 };
  if (metric.ticks.length) {
    spec.encoding.x.scale = { type: "log", nice: false, padding: 8 };
    spec.encoding.x.axis.values = metric.ticks;
  }
  spec.height *= lines.length;
  spec.encoding.y.sort = lines.map((line) => line.name);
  for (const line of lines) {
    const cells = line.cells[metric.name];
    if (line.lost) spec.datasets.lost.push({ name: line.name, text: line.lost });
    if (!cells) continue;
    spec.datasets.means.push({
      name: line.name, value: cells.mean[0], low: cells.bounds[0], high: cells.bounds[1],
      mean: cells.mean[1], sd: cells.sd[1], interval: cells.interval[1], n: cells.n[1],
      range: `${cells.low[1]} to ${cells.high[1]}`,
    });
    const found = scoredRuns(board, metric, line).filter(({ run, value }) =>
      value !== null && run.status === "finished");
    found.forEach(({ id, run, value }, place) => spec.datasets.runs.push({
      name: line.name, value, run: id, text: value.toFixed(metric.places),
      which: whichRun(board, run), lane: ((place * 3) % 5) - 2,
    }));
  }
  const floor = board.floors.find((one) => one.kind === "floor")?.cells[metric.name];
  if (floor) spec.datasets.floor.push({ value: floor[0], text: `real samples ${floor[1]}` });
  // A layer without numbers would have no extent, of which Vega warns.
  const used = ({ data, transform }) => spec.datasets[data.name].some((one) => !transform || isFinite(one.low));
  spec.layer = spec.layer.filter(used);
  return spec;
}

async function drawDots(place, board, metric, lines) {
  const view = await draw(place, dotPlot(board, metric, lines));
  view.addEventListener("click", (_, item) => item?.datum?.run && showRun(item.datum.run));
}

// Every chart that has its place in the page; the still picture remains for print.
function drawAll() {
  const waiting = [...document.querySelectorAll("figure > .live[data-board], figure > .live[data-chart]")].map(async (place) => {
    const { board: slug, chart } = place.dataset;
    const board = page.boards.find((one) => one.slug === slug);
    await (board ? drawDots(place, board, board.metrics[0], board.lines) : draw(place, page.charts[chart]));
    place.closest("figure").classList.add("drawn");
  });
  return Promise.all(waiting);
}
