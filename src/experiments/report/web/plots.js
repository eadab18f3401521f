document.documentElement.classList.add("live");
// Each plot is drawn when it comes near; plotly is unpacked once, for the first of them.
let loading;
const plotly = () => (loading ??= unpacked("plotly").text().then((code) =>
  document.head.append(Object.assign(document.createElement("script"), { text: code }))));

// On a phone the legend stands below the plot, and scrolls if it is long.
function narrower(traces, layout) {
  const named = traces.filter(({ name, showlegend }) => name && showlegend !== false).length, rows = Math.min(Math.ceil(named / 2), 8);
  if (!layout.width && !layout.yaxis?.ticktext) layout.height = Math.min(layout.height, innerHeight * 0.8);
  if (!layout.width) layout.height += 24 * rows;
  layout.legend = { ...layout.legend, orientation: "h", x: 0, xanchor: "left", y: -0.2, yref: "paper", yanchor: "top", maxheight: 24 * rows + 30, font: { size: 11 } };
  layout.margin = { ...layout.margin, l: 45, r: 10 };
}

// A heat map shrinks to the page while its cells can be read; a wider one moves below its faded edge.
const LETTER = 6, CELL = { spoken: 26, plain: 11 };
function shrunk(traces, layout, room) {
  const [cells] = traces;
  if (cells.type !== "heatmap" || layout.width <= room) return;
  const title = layout.yaxis.title.text ? 24 : 0, spoken = Boolean(cells.texttemplate);
  const names = LETTER * Math.min(14, Math.max(...layout.yaxis.ticktext.map((name) => name.length))) + title + 14;
  if ((room - names - 8) / cells.x.length < (spoken ? CELL.spoken : CELL.plain)) return;
  layout.yaxis.ticktext = layout.yaxis.ticktext.map((name) => (name.length > 14 ? `${name.slice(0, 13)}…` : name));
  for (const axis of [layout.xaxis, layout.yaxis]) axis.tickfont = { size: 10 };
  cells.showscale = !spoken;
  cells.colorbar = { ...cells.colorbar, orientation: "h", thickness: 12, len: 1, lenmode: "fraction", x: 0.5, xanchor: "center", y: 1.02, yanchor: "bottom" };
  if (spoken) Object.assign(cells, { texttemplate: "%{z:.2f}", textfont: { size: 10 } });
  else layout.margin.t = 70;
  layout.margin.r = 8;
  layout.width = room;
}

const cut = (place) => place.classList.toggle("cut", place.scrollLeft + place.clientWidth < place.scrollWidth - 8);
const edges = new ResizeObserver((seen) => seen.forEach(({ target }) => cut(target)));
for (const place of document.querySelectorAll(".plot, .wide")) {
  place.addEventListener("scroll", () => cut(place), { passive: true });
  edges.observe(place);
}

// Each chart has its final height before it is drawn, so that no link moves.
const narrow = innerWidth < 700, charts = new Map();
for (const place of document.querySelectorAll(".plot")) {
  const panels = JSON.parse(document.getElementById(`plot-${place.dataset.plot}`).textContent);
  for (const [traces, layout] of panels) {
    if (narrow) narrower(traces, layout);
    if (narrow && layout.width) shrunk(traces, layout, place.clientWidth);
  }
  place.style.setProperty("--height", `${panels.reduce((sum, [, { height = 450 }]) => sum + height, 0)}px`);
  charts.set(place, panels);
}

async function draw(place) {
  try {
    await plotly();
    for (const [traces, layout] of charts.get(place)) {
      const part = place.appendChild(document.createElement("div"));
      const buttons = { displayModeBar: !narrow, displaylogo: false, modeBarButtonsToRemove: ["sendChartToCloud"] };
      await Plotly.newPlot(part, traces, layout, { responsive: !layout.width, scrollZoom: false, ...buttons });
    }
    place.dataset.drawn = "yes";
    cut(place);
  } catch (error) {
    place.append(`This needs a browser of 2023 or later. ${error}`);
  }
}

const watcher = new IntersectionObserver((seen) => {
  for (const { target } of seen.filter((entry) => entry.isIntersecting)) {
    watcher.unobserve(target);
    draw(target);
  }
}, { rootMargin: "300px" });
// First the page is there to read.
requestAnimationFrame(() => setTimeout(() => document.querySelectorAll(".plot").forEach((place) => watcher.observe(place))));
