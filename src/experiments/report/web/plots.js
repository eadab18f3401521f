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

async function draw(place) {
  try {
    await plotly();
    for (const [traces, layout] of JSON.parse(document.getElementById(`plot-${place.dataset.plot}`).textContent)) {
      const part = place.appendChild(document.createElement("div")), narrow = innerWidth < 700;
      if (narrow) narrower(traces, layout);
      const buttons = { displayModeBar: !narrow, displaylogo: false, modeBarButtonsToRemove: ["sendChartToCloud"] };
      await Plotly.newPlot(part, traces, layout, { responsive: !layout.width, scrollZoom: false, ...buttons });
    }
    place.dataset.drawn = "yes";
  } catch (error) {
    place.textContent = `This needs a browser of 2023 or later. ${error}`;
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
