// Each chart is a picture until it comes near, and one again on paper; plotly is unpacked once, for the first of them.
let loading;
const plotly = () => (loading ??= unpacked("plotly").text().then((code) =>
  document.head.append(Object.assign(document.createElement("script"), { text: code }))));

// On a phone the legend stands below the plot, and scrolls if it is long.
function narrower(traces, layout, height) {
  const named = traces.filter(({ name, showlegend }) => name && showlegend !== false).length, rows = Math.min(Math.ceil(named / 2), 8);
  layout.height = height;
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

async function draw(place) {
  try {
    await plotly();
    const narrow = matchMedia("(max-width: 700px)").matches;
    for (const [traces, layout, height] of JSON.parse(document.getElementById(`plot-${place.dataset.plot}`).textContent)) {
      const part = place.appendChild(document.createElement("div"));
      if (narrow) narrower(traces, layout, height);
      if (narrow && layout.width) shrunk(traces, layout, place.clientWidth);
      const buttons = { displayModeBar: !narrow, displaylogo: false, modeBarButtonsToRemove: ["sendChartToCloud"] };
      await Plotly.newPlot(part, traces, layout, { responsive: !layout.width, scrollZoom: false, ...buttons });
    }
    place.dataset.drawn = "yes";
    cut(place);
  } catch (error) {
    place.insertAdjacentText("afterend", `The picture is all: charts to move about on need a browser of 2023 or later. ${error}`);
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
