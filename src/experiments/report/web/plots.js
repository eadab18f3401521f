// Charts are pictures until they are scrolled near, and on paper; plotly is unpacked once, for the first chart.
let loading;
const plotly = () => (loading ??= unpacked("plotly").text().then((code) =>
  document.head.append(Object.assign(document.createElement("script"), { text: code }))));

// Lay out a chart for a phone: the legend is below the plot, and scrolls if it is long.
function fitToPhone(traces, layout, height) {
  const named = traces.filter(({ name, showlegend }) => name && showlegend !== false).length, rows = Math.min(Math.ceil(named / 2), 8);
  layout.height = height;
  layout.legend = { ...layout.legend, orientation: "h", x: 0, xanchor: "left", y: -0.2, yref: "paper", yanchor: "top", maxheight: 24 * rows + 30, font: { size: 11 } };
  layout.margin = { ...layout.margin, l: 45, r: 10 };
}

// Shrink a heat map to the page if its cells stay readable; a wider one scrolls sideways.
const LETTER = 6, CELL = { annotated: 26, plain: 11 };
function shrinkHeatmap(traces, layout, room) {
  const [cells] = traces;
  if (cells.type !== "heatmap" || layout.width <= room) return;
  const title = layout.yaxis.title.text ? 24 : 0, annotated = Boolean(cells.texttemplate);
  const names = LETTER * Math.min(14, Math.max(...layout.yaxis.ticktext.map((name) => name.length))) + title + 14;
  if ((room - names - 8) / cells.x.length < (annotated ? CELL.annotated : CELL.plain)) return;
  layout.yaxis.ticktext = layout.yaxis.ticktext.map((name) => (name.length > 14 ? `${name.slice(0, 13)}…` : name));
  for (const axis of [layout.xaxis, layout.yaxis]) axis.tickfont = { size: 10 };
  cells.showscale = !annotated;
  cells.colorbar = { ...cells.colorbar, orientation: "h", thickness: 12, len: 1, lenmode: "fraction", x: 0.5, xanchor: "center", y: 1.02, yanchor: "bottom" };
  if (annotated) Object.assign(cells, { texttemplate: "%{z:.2f}", textfont: { size: 10 } });
  else layout.margin.t = 70;
  layout.margin.r = 8;
  layout.width = room;
}

const cut = (plot) => plot.classList.toggle("cut", plot.scrollLeft + plot.clientWidth < plot.scrollWidth - 8);
const edges = new ResizeObserver((seen) => seen.forEach(({ target }) => cut(target)));
for (const plot of document.querySelectorAll(".plot, .wide")) {
  plot.addEventListener("scroll", () => cut(plot), { passive: true });
  edges.observe(plot);
}

async function draw(plot) {
  try {
    await plotly();
    const narrow = matchMedia("(max-width: 700px)").matches;
    for (const [traces, layout, height] of JSON.parse(document.getElementById(`plot-${plot.dataset.plot}`).textContent)) {
      const part = plot.appendChild(document.createElement("div"));
      if (narrow) fitToPhone(traces, layout, height);
      if (narrow && layout.width) shrinkHeatmap(traces, layout, plot.clientWidth);
      const buttons = { displayModeBar: !narrow, displaylogo: false, modeBarButtonsToRemove: ["sendChartToCloud"] };
      await Plotly.newPlot(part, traces, layout, { responsive: !layout.width, scrollZoom: false, ...buttons });
    }
    plot.dataset.drawn = "yes";
    cut(plot);
  } catch (error) {
    plot.insertAdjacentText("afterend", `Only the picture is shown: interactive charts need a browser of 2023 or later. ${error}`);
  }
}

const watcher = new IntersectionObserver((seen) => {
  for (const { target } of seen.filter((entry) => entry.isIntersecting)) {
    watcher.unobserve(target);
    draw(target);
  }
}, { rootMargin: "300px" });
// Let the page be readable first.
requestAnimationFrame(() => setTimeout(() => document.querySelectorAll(".plot").forEach((plot) => watcher.observe(plot))));
