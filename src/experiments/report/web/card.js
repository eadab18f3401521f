// What is said of a sample, at the pointer or below a finger.
const data = JSON.parse(document.getElementById("data").textContent);
const card = document.body.appendChild(Object.assign(document.createElement("div"), { id: "card", hidden: true }));
card.setAttribute("role", "status");
const text = (value) => value.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const clusterName = (cluster) => (cluster < 0 ? "noise" : `cluster ${cluster}`);

function show(place, { clientX, clientY }) {
  const label = data.labels.length ? `\nlabel ${data.labels[place]}` : "";
  card.innerHTML = tile(place) + text(`${data.ids[place]}\n${clusterName(data.clusters[place])}${label}`);
  card.hidden = false;
  const right = clientX + 16 + card.offsetWidth > innerWidth, low = clientY + 16 + card.offsetHeight > innerHeight;
  card.style.left = `${Math.max(0, clientX + (right ? -16 - card.offsetWidth : 16))}px`;
  card.style.top = `${Math.max(0, clientY + (low ? -16 - card.offsetHeight : 16))}px`;
}

const hide = () => (card.hidden = true);
addEventListener("scroll", hide, { passive: true });
document.querySelector('[data-plot="map"]').addEventListener("drawn", ({ target }) => {
  target.firstElementChild.on("plotly_hover", ({ points, event }) => show(points[0].customdata, event));
  target.firstElementChild.on("plotly_unhover", hide);
});
