// Who is in which cluster, and which label most of them have.
function grouped(names) {
  const found = new Map();
  names.forEach((name, place) => (found.get(name) ?? found.set(name, []).get(name)).push(place));
  return found;
}

function majority(places) {
  if (!data.labels.length) return { label: "", share: 0 };
  const counts = [...grouped(places.map((place) => data.labels[place]))];
  const [label, own] = counts.reduce((best, each) => (each[1].length > best[1].length ? each : best));
  return { label, share: own.length / places.length };
}

const members = grouped(data.clusters);
const majorities = new Map([...members].map(([cluster, places]) => [cluster, majority(places)]));
