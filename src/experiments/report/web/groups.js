// Members and majority classes of the clusters.
// Return a Map of the indices of each value.
function indicesByValue(values) {
  const indices = new Map();
  values.forEach((value, index) => (indices.get(value) ?? indices.set(value, []).get(value)).push(index));
  return indices;
}

const members = indicesByValue(data.clusters);
const majorities = new Map(data.majorities.map(([cluster, name, classes, share]) => [cluster, { name, classes, share }]));
