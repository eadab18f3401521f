// Each plot is drawn when it comes near; plotly is unpacked once, for the first of them.
let loading;
const plotly = () => (loading ??= unpacked("plotly").text().then((code) =>
  document.head.append(Object.assign(document.createElement("script"), { text: code }))));

async function draw(place) {
  try {
    await plotly();
    for (const [traces, layout] of JSON.parse(document.getElementById(`plot-${place.dataset.plot}`).textContent)) {
      const part = place.appendChild(document.createElement("div")), narrow = innerWidth < 700;
      if (narrow) Object.assign(layout, { showlegend: false, height: Math.min(layout.height, innerHeight * 0.8) });
      const buttons = { displaylogo: false, modeBarButtonsToRemove: ["sendChartToCloud"] };
      await Plotly.newPlot(part, traces, layout, { responsive: !layout.width, scrollZoom: false, ...buttons });
    }
    place.dataset.drawn = "yes";
    place.dispatchEvent(new Event("drawn"));
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
